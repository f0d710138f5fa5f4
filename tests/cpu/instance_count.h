// InstanceCount: how many instances of each instruction were executed and compared.
#pragma once

#include <Zydis/Zydis.h>

#include <array>
#include <string>
#include <vector>

#include "base/ints.h"

namespace pileus::cpu_test {

class InstanceCount {
 public:
  void add(const std::vector<ZydisMnemonic>& executed);
  u64 total() const { return total_; }
  // One line an instruction.
  std::string all() const;
  // Of the instructions that the interpreter's and the fuzzer's tables name: those with the fewest instances, and the ones
  // with none.
  std::string least() const;

 private:
  std::array<u64, ZYDIS_MNEMONIC_MAX_VALUE + 1> count_{};
  u64 total_ = 0;
};

}  // namespace pileus::cpu_test
