#include "host/vm_maker.h"

#include <fcntl.h>

#include <filesystem>

#include "vmm/disks.h"

namespace pileus::host {
namespace fs = std::filesystem;

Result<vmm::VmDirectory> create_vm(const fs::path& parent, const std::string& name, const vmm::VmConfig& config,
                                   const std::optional<image::SeedContent>& seed) {
  os::TemporaryDirectory work = TRY(os::TemporaryDirectory::create(parent / ".new-"));
  const vmm::VmDirectory draft(work.path());
  TRY(draft.save_config(config));
  if (seed) TRY(image::write_seed(*seed, draft.seed()));
  if (config.disk_folder.empty()) TRY(vmm::create_overlay(draft, config));
  const fs::path final_path = parent / name;
  if (fs::exists(final_path)) return Error(ErrorCode::kExists, "a VM '" + name + "' was made meanwhile");
  TRY(os::rename(work.path(), final_path));
  work.keep();
  return vmm::VmDirectory(final_path);
}

Result<os::ChildProcess> spawn_vmm(const vmm::VmDirectory& vm, const Spawn& spawn) {
  const os::Fd log = TRY(os::open_file(vm.vmm_log(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
  os::ChildProcess::Options options;
  options.argv = {os::program_beside("pileus-vmm")};
  options.argv.insert(options.argv.end(), spawn.options.begin(), spawn.options.end());
  options.argv.push_back(vm.path().string());
  options.stdout_fd = log.get();
  options.stderr_fd = log.get();
  options.new_session = true;
  options.drop_ambient = true;  // low ports are the switch's to open
  options.parent_death_signal = spawn.parent_death_signal;
  return os::ChildProcess::spawn(options);
}

std::string why_not_started(const vmm::VmDirectory& vm, const os::ExitStatus& status) {
  std::string why = vm.state().message;
  if (!why.empty()) return why;
  const Result<std::string> log = os::read_file(vm.vmm_log());
  if (log && !log->empty()) {
    const std::size_t end = log->find_last_not_of('\n');
    const std::size_t begin = log->rfind('\n', end);
    return log->substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin));
  }
  return "pileus-vmm ended with " + status.describe();
}

}  // namespace pileus::host
