// Amounts of what a host has and an instance takes, and the table of instance types.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::model {

struct Resources {
  u32 vcpus = 0;
  u64 memory_mib = 0;
  u64 disk_gib = 0;
  bool operator==(const Resources&) const = default;
  Resources& operator+=(const Resources& other);
  Resources& operator-=(const Resources& other);  // CHECKs that nothing becomes negative
};

// A row of the table that the administrator edits, types/NAME in the state store.
struct InstanceType {
  std::string name;  // "t3.micro"
  Resources takes;   // disk_gib: the root disk unless the request asks for more
  bool offered = true;  // false: existing instances keep it, new ones cannot have it
  bool operator==(const InstanceType&) const = default;
};

// What a new cloud begins with: t3, m5, c5 and r5 with Amazon's vCPUs and memory.
std::vector<InstanceType> default_instance_types();

// kInvalid with the reason for a type that no host could ever run or that has no proper name.
Result<> check(const InstanceType& type);

}  // namespace pileus::model
