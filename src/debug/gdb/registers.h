// The registers of an x86-64 vCPU as GDB knows them: their numbers, their description in XML (GDB manual, appendix G),
// and their values in little-endian bytes.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/ints.h"
#include "engine/cpu_state.h"

namespace pileus::debug::gdb {

struct Register {
  std::string name;
  unsigned bytes;
  std::string type;     // of the description
  std::string group;    // may be empty
  std::string feature;  // which part of the description it is in
  std::function<void(const engine::CpuState&, std::span<u8>)> get;
  std::function<void(engine::CpuState&, std::span<const u8>)> set;  // empty: cannot be changed
};

// By GDB's number.
const std::vector<Register>& registers();

// The document "target.xml".
const std::string& target_description();

}  // namespace pileus::debug::gdb
