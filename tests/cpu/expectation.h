// Expectation: what the comments of an assembly test declare.
//
//   line      = ";;" directive
//   directive = "expect" item...            state at the end; what is not named is not declared
//             | "mem" address ":" byte...   memory at the end
//             | "undefined" flag ("," flag)...   flags that the manual leaves undefined at the end
//             | "varies" register...        may differ from processor to processor
//             | "needs" ("avx2" | "processor")   else it is skipped; processor: no KVM that emulates, for what goes
//                                           wrong there by chance only
//             | "cpu" model                  machines only: see engine/cpu_model.h
//             | "cpus" count | "limit_ms" count | "ends" ("exit" | "shutdown")     machines only
//   item      = register "=" number | "rflags=" ("none" | flag ("," flag)...) | "exception=" number
//   register  = rax ... r15 | xmm0 ... xmm15 | ymmh0 ... ymmh15 | st0 ... st7 | mxcsr | fcw | fsw | cr2
//   flag      = CF | PF | AF | ZF | SF | OF | DF
// Numbers are decimal or 0x...; xmm and st registers are 32 and 20 hexadecimal digits, ymmh are the upper halves.
// "rflags" names all of the seven flags that are set; undefined ones are not looked at.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "user_state.h"

namespace pileus::cpu_test {

inline constexpr u64 kNamedFlags = kArithmeticFlags | kDirectionFlag;

struct Expectation {
  std::map<std::string, std::string> registers;  // name -> value as written, less 0x
  std::optional<u64> rflags;
  std::optional<u8> exception;
  u64 undefined_flags = 0;
  std::vector<std::string> varies;
  struct Memory {
    u64 address;
    std::vector<u8> bytes;
  };
  std::vector<Memory> memory;
  std::string cpu_model = "host";
  bool needs_avx2 = false;
  bool needs_processor = false;
  u32 cpus = 1;
  int limit_ms = 10'000;
  bool shutdown = false;
};

Result<Expectation> parse_expectation(const std::string& source);

// One register by its name, as the digits that "expect" takes without leading zeros; nothing for an unknown name.
std::optional<std::string> register_text(const UserState& state, const std::string& name);
std::string flags_text(u64 rflags);
std::string ending_text(const Outcome& outcome);
// All of it, to be read by people and pasted into "expect".
std::string state_text(const Outcome& outcome);

// What of `outcome` is not as declared; empty when all is. Memory is the caller's to compare.
std::vector<std::string> violations(const Expectation& expected, const Outcome& outcome);
// In what two outcomes of the same code differ, undefined flags and what varies left out.
std::vector<std::string> differences(const Expectation& expected, const Outcome& one, const Outcome& other);

}  // namespace pileus::cpu_test
