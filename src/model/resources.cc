#include "model/resources.h"

#include <array>
#include <string_view>

namespace pileus::model {
namespace {

constexpr u32 kMaxVcpus = 254;
constexpr u64 kMaxMemoryMib = 24 * kMiB;  // 24 TiB
constexpr u64 kMaxDiskGib = 64 * kKiB;    // 64 TiB, EC2's limit of a volume
constexpr std::size_t kMaxName = 64;

struct Row {
  std::string_view name;
  u32 vcpus;
  u64 memory_mib;
  u64 disk_gib;
};
constexpr std::array kRows = {
    Row{"t3.nano", 2, 512, 8},        Row{"t3.micro", 2, 1024, 8},     Row{"t3.small", 2, 2048, 8},
    Row{"t3.medium", 2, 4096, 8},     Row{"t3.large", 2, 8192, 8},     Row{"t3.xlarge", 4, 16384, 8},
    Row{"t3.2xlarge", 8, 32768, 8},   Row{"t2.nano", 1, 512, 8},       Row{"t2.micro", 1, 1024, 8},
    Row{"t2.small", 1, 2048, 8},      Row{"t2.medium", 2, 4096, 8},    Row{"m5.large", 2, 8192, 8},
    Row{"m5.xlarge", 4, 16384, 8},    Row{"m5.2xlarge", 8, 32768, 8},  Row{"m5.4xlarge", 16, 65536, 8},
    Row{"m5.8xlarge", 32, 131072, 8}, Row{"c5.large", 2, 4096, 8},     Row{"c5.xlarge", 4, 8192, 8},
    Row{"c5.2xlarge", 8, 16384, 8},   Row{"c5.4xlarge", 16, 32768, 8}, Row{"r5.large", 2, 16384, 8},
    Row{"r5.xlarge", 4, 32768, 8},    Row{"r5.2xlarge", 8, 65536, 8},  Row{"r5.4xlarge", 16, 131072, 8},
};

}  // namespace

Resources& Resources::operator+=(const Resources& other) {
  vcpus += other.vcpus;
  memory_mib += other.memory_mib;
  disk_gib += other.disk_gib;
  return *this;
}

Resources& Resources::operator-=(const Resources& other) {
  CHECK(vcpus >= other.vcpus && memory_mib >= other.memory_mib && disk_gib >= other.disk_gib);
  vcpus -= other.vcpus;
  memory_mib -= other.memory_mib;
  disk_gib -= other.disk_gib;
  return *this;
}

std::vector<InstanceType> default_instance_types() {
  std::vector<InstanceType> types;
  for (const Row& row : kRows) {
    types.push_back({std::string(row.name), {row.vcpus, row.memory_mib, row.disk_gib}, true});
  }
  return types;
}

Result<> check(const InstanceType& type) {
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::kInvalid, "instance type '" + type.name.substr(0, kMaxName) + "' " + why);
  };
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789.-";
  if (type.name.empty() || type.name.size() > kMaxName || type.name.find_first_not_of(kAllowed) != std::string::npos) {
    return refuse("needs a name of 1 to 64 lower-case letters, digits, dots and dashes");
  }
  if (type.takes.vcpus < 1 || type.takes.vcpus > kMaxVcpus) return refuse("needs 1 to 254 vCPUs");
  if (type.takes.memory_mib < 32 || type.takes.memory_mib > kMaxMemoryMib)
    return refuse("needs 32 MiB to 24 TiB of memory");
  if (type.takes.disk_gib < 1 || type.takes.disk_gib > kMaxDiskGib) return refuse("needs 1 to 65536 GiB of disk");
  return {};
}

}  // namespace pileus::model
