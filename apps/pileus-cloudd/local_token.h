// The join token in a file of the cloud manager's folder, for the host on the same machine (`pileus-hostd --manager`) and whoever
// else may read that folder. It is a token like others, renewed long before it expires, so that the file has a good one.
#pragma once

#include <filesystem>
#include <string>

#include "control/join_tokens.h"

namespace pileus::cloudd {

class LocalToken {
 public:
  LocalToken(state::Store& store, const control::Clock& clock, std::filesystem::path file, control::NewJoinToken wish)
      : store_(store), clock_(clock), file_(std::move(file)), wish_(std::move(wish)) {}

  // Looks, at most once in a minute; writes a new token when the file has none that is good for half of its life still.
  Result<> step();

 private:
  Result<bool> is_good_for_long() const;

  state::Store& store_;
  const control::Clock& clock_;
  const std::filesystem::path file_;
  const control::NewJoinToken wish_;
  model::Millis looked_at_ = 0;
  std::string unwritten_;  // the token that was made and is not in the file yet
};

}  // namespace pileus::cloudd
