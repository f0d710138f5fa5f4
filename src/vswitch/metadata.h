// The instance metadata service, as EC2 has it: what a guest may read about itself over HTTP, and the tokens that version 2
// asks for. Without sockets: see metadata_service.h.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "http/message.h"
#include "vswitch/config.h"

namespace pileus::vswitch {

class MetadataTree {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kMostTokens = 1024;  // valid ones at a time; beyond it, the one that ends first goes

  explicit MetadataTree(Metadata metadata) : metadata_(std::move(metadata)) {}
  // Tokens stay valid.
  void set(Metadata metadata) { metadata_ = std::move(metadata); }
  http::Response answer(const http::Request& request, Clock::time_point now);

 private:
  http::Response make_token(const http::Request& request, Clock::time_point now);
  bool is_valid(std::string_view token, Clock::time_point now) const;
  http::Response read(std::string path) const;

  Metadata metadata_;
  std::map<std::string, Clock::time_point, std::less<>> tokens_;  // when each ends
};

}  // namespace pileus::vswitch
