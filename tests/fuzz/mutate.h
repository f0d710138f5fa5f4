// Inputs for `smoke`: input N of a target is the same on every machine and in every run.
#pragma once

#include "target.h"

namespace pileus::fuzz {

class InputMaker {
 public:
  // Takes the target's seeds once. `target` must outlive the maker.
  explicit InputMaker(const Target& target);

  // The first inputs are the seeds as they are; then come mutations of them, and now and then random bytes.
  Bytes make(u64 number) const;

 private:
  const Target& target_;
  std::vector<Bytes> seeds_;
};

}  // namespace pileus::fuzz
