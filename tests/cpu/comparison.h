// Comparison: runs cases of the fuzzer on the bare processor and on engines, and tells where they differ.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bare_processor.h"
#include "fuzz_case.h"
#include "user_guest.h"

namespace pileus::cpu_test {

struct Comparison {
  bool usable = true;  // else the processor itself could not say: the case spins, or reads what is undefined
  std::vector<ZydisMnemonic> executed;  // by the processor and, when usable, by every engine: see executed_steps.h
  Outcome bare;
  std::vector<std::string> differences;  // each names its engine
};

class Comparator {
 public:
  // `only`: one way of running instead of all.
  static Result<std::unique_ptr<Comparator>> create(std::optional<Way> only);
  // Memory starts as make_arena_image() each time.
  Comparison compare(const FuzzCase& test);
  // Without the units that raise an exception on the bare processor, so that it comes to those behind them.
  FuzzCase without_faults(FuzzCase test);
  std::size_t engines() const { return guests_.size(); }  // one at CPL 0 and one at 3 count as two

 private:
  struct Program;
  struct Guest {
    std::string name;
    bool translated = false;  // or direct
    std::unique_ptr<UserGuest> guest;
    Outcome outcome;
  };

  explicit Comparator(std::unique_ptr<BareProcessor> bare) : bare_(std::move(bare)) {}
  Outcome run_bare(const std::vector<u8>& code, const UserState& state);
  static std::optional<Program> prepare(const FuzzCase& test);
  void compare_outcomes(const Program& program, u64 code_address, Comparison* out);
  void restore_bare();
  void restore_memory(std::vector<std::string>* differences);

  std::vector<u8> image_;
  std::unique_ptr<BareProcessor> bare_;
  std::vector<Guest> guests_;
};

}  // namespace pileus::cpu_test
