#include "vms.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace pileus::cli {

std::vector<VmEntry> list_vms(const image::Library& library) {
  std::vector<VmEntry> result;
  std::error_code ignored;  // no folder, no VMs
  for (const auto& entry : std::filesystem::directory_iterator(library.vms(), ignored)) {
    if (!image::check_name(entry.path().filename().string())) continue;
    const vmm::VmDirectory directory(entry.path());
    Result<vmm::VmConfig> config = directory.config();
    if (config) result.push_back({directory, std::move(config).value()});
  }
  std::ranges::sort(result, {}, [](const VmEntry& vm) { return vm.config.name; });
  return result;
}

Result<VmEntry> find_vm(const image::Library& library, const std::string& name) {
  TRY(image::check_name(name));
  const vmm::VmDirectory directory(library.vms() / name);
  if (!std::filesystem::exists(directory.path() / "config.json")) {
    return Error(ErrorCode::kNotFound, "there is no VM '" + name + "': `pileus vm ls` shows those there are");
  }
  vmm::VmConfig config = TRY(directory.config());
  return VmEntry{directory, std::move(config)};
}

std::string unused_name(const image::Library& library, const std::string& stem) {
  for (int number = 1;; ++number) {
    const std::string name = stem + "-" + std::to_string(number);
    if (!std::filesystem::exists(library.vms() / name)) return name;
  }
}

}  // namespace pileus::cli
