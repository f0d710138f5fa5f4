#include "host/local_vm.h"

#include <unistd.h>

#include <algorithm>

#include "host/identity.h"
#include "host/vm_maker.h"
#include "model/id.h"
#include "os/tcp.h"
#include "store/disk_folder.h"
#include "vmm/control_client.h"
#include "vmm/units.h"

namespace pileus::host {
namespace {

constexpr u16 kSsh = 22;
constexpr int kTries = 200;

// One of 127.77.0.0/16.
std::string random_address() {
  const u64 random = model::random_id();
  return "127.77." + std::to_string(random % 256) + "." + std::to_string(1 + (random >> 8U) % 254);
}

// Whether hosts choose such addresses by themselves; elastic ones are others.
bool is_random_address(const std::string& address) { return address.starts_with("127.77."); }

// Ports as they are, on the elastic address or else on an address of the instance's own, which it keeps if it can; without
// the right to low ports, one port for SSH. Ports that lead into the guest already are the switch's, and need not be free.
Result<std::vector<vmm::PortForward>> forwards_for(const std::vector<vmm::PortForward>& before,
                                                   const std::set<u16>& ports, const std::string& elastic) {
  std::vector<vmm::PortForward> forwards;
  if (ports.empty()) return forwards;
  const std::string last = before.empty() ? std::string() : before.front().address;
  const std::string own = is_random_address(last) ? last : std::string();
  const auto check_free = [&](const std::string& address) -> Result<> {
    for (const u16 port : ports) {
      const vmm::PortForward wanted{.address = address, .host_port = port, .guest_port = port};
      if (std::ranges::find(before, wanted) == before.end()) TRY(os::check_port_free(port, address));
    }
    return {};
  };
  for (int i = 0; i < kTries; ++i) {
    const std::string address = !elastic.empty() ? elastic : i == 0 && !own.empty() ? own : random_address();
    const Result<> free = check_free(address);
    if (!free && free.error().code() == ErrorCode::kPermission) break;
    // It may still lead to the instance that had it before.
    if (!free && !elastic.empty()) return free.error();
    if (!free) continue;
    for (const u16 port : ports) forwards.push_back({.address = address, .host_port = port, .guest_port = port});
    return forwards;
  }
  if (!ports.contains(kSsh)) return forwards;
  const std::string address = elastic.empty() ? vmm::PortForward().address : elastic;
  for (const vmm::PortForward& each : before) {
    if (each.guest_port == kSsh && each.address == address) return std::vector{each};
  }
  const u16 port = TRY(os::find_free_port());
  forwards.push_back({.address = address, .host_port = port, .guest_port = kSsh});
  return forwards;
}

}  // namespace

std::vector<model::InstanceId> instances_in(const std::filesystem::path& folder) {
  std::vector<model::InstanceId> ids;
  std::error_code ignored;  // no folder, no instances
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const Result<model::InstanceId> id = model::InstanceId::parse(entry.path().filename().string());
    if (id) ids.push_back(*id);
  }
  return ids;
}

bool LocalVm::exists() const { return std::filesystem::exists(directory_.path() / "config.json"); }

std::string LocalVm::public_address() const {
  const Result<vmm::VmConfig> config = directory_.config();
  if (!config || config->forwards.empty()) return {};
  const vmm::PortForward& first = config->forwards.front();
  if (first.host_port == first.guest_port) return first.address;
  return first.address + ":" + std::to_string(first.host_port);
}

Result<bool> LocalVm::choose_forwards(const control::Assignment& assignment) {
  vmm::VmConfig config = TRY(directory_.config());
  std::vector<vmm::PortForward> forwards =
      TRY(forwards_for(config.forwards, assignment.open_ports, assignment.elastic_address));
  if (forwards == config.forwards) return false;
  config.forwards = std::move(forwards);
  TRY(directory_.save_config(config));
  return true;
}

namespace {

// What the VM boots from, and of what size.
Result<> choose_disk(const image::Library& library, const control::Assignment& assignment,
                     const std::optional<LocalVm::Root>& root, vmm::VmConfig& config) {
  if (root) {
    config.disk_folder = root->folder.string();
    config.disk_id = root->serial;
    config.disk_bytes = TRY(store::DiskFolder(root->folder).size());
    return {};
  }
  if (assignment.image_name.empty()) return Error(ErrorCode::kNotFound, "the image is gone");
  const image::ImageInfo image = TRY(library.find(assignment.image_name).with("this host"));
  config.image = image.name;
  config.base_disk = library.disk_of(image.name).string();
  config.login_user = image.login_user;
  config.disk_bytes = std::max(assignment.desired.takes.disk_gib * kGiB, image.disk_bytes);
  return {};
}

}  // namespace

Result<> LocalVm::make(const image::Library& library, const control::Assignment& assignment,
                       const std::optional<Root>& root) {
  const model::InstanceDesired& desired = assignment.desired;
  vmm::VmConfig config;
  config.name = id_.text();
  TRY(choose_disk(library, assignment, root, config));
  config.cpu_count = desired.takes.vcpus;
  config.memory_bytes = desired.takes.memory_mib * kMiB;
  if (!desired.wish.engine.empty()) config.engine = TRY(vmm::parse_engine(desired.wish.engine));
  if (!desired.wish.cpu_model.empty()) config.cpu_model = desired.wish.cpu_model;
  // An image that was made of an instance is not in the library, and its name is anybody's choice.
  if (library.find(assignment.image_name)) {
    config.translation_cache_file = library.translations_of(assignment.image_name, config.cpu_model).string();
  }
  TRY(vmm::check(config));
  TRY(vmm::check_host(config));
  // Name, keys and user data come from the metadata service: no seed.
  TRY(create_vm(parent_, id_.text(), config, std::nullopt));
  return {};
}

Result<> LocalVm::start(const control::Assignment& assignment, const SwitchPlace& place) {
  TRY(choose_forwards(assignment));
  vmm::VmConfig config = TRY(directory_.config());
  // Its type may be another one than when it was made.
  config.cpu_count = assignment.desired.takes.vcpus;
  config.memory_bytes = assignment.desired.takes.memory_mib * kMiB;
  config.switch_port = place.socket;
  config.mac = place.mac;
  config.system = system_of(assignment.desired);
  TRY(directory_.save_config(config));
  pressed_at_.reset();
  child_.reset();
  child_ = TRY(spawn_vmm(directory_, {}));
  return {};
}

bool LocalVm::is_starting() {
  if (!child_ || alive()) return false;
  const Result<std::optional<os::ExitStatus>> ended = child_->poll();
  return ended.ok() && !ended->has_value() && !alive();
}

std::optional<std::string> LocalVm::start_failure() {
  if (!child_) return {};
  const Result<std::optional<os::ExitStatus>> ended = child_->poll();
  if (!ended) return ended.error().message();
  if (!*ended) return {};
  const vmm::VmPhase phase = state().phase;
  const os::ExitStatus status = **ended;
  child_.reset();
  if (phase != vmm::VmPhase::kFailed && phase != vmm::VmPhase::kStarting && status.code != 1) return {};
  return why_not_started(directory_, status);
}

Result<> LocalVm::shut_down(Time now) {
  if (!pressed_at_) {
    pressed_at_ = now;
    TRY(vmm::ask(directory_, vmm::Command::kStop));
    return {};
  }
  if (now - *pressed_at_ >= kStopPatience) return kill();
  return {};
}

Result<> LocalVm::kill() {
  TRY(vmm::ask(directory_, vmm::Command::kKill));
  return {};
}

Result<> LocalVm::remove() {
  if (!std::filesystem::exists(directory_.path())) return {};
  {
    const Result<os::FileLock> lock = directory_.lock();
    if (!lock) return lock.error();
  }
  child_.reset();
  // Out of sight first, so that no half-removed VM is ever found.
  const std::filesystem::path doomed = parent_ / (".removed-" + id_.text());
  TRY(os::remove_all(doomed));
  TRY(os::rename(directory_.path(), doomed));
  return os::remove_all(doomed);
}

}  // namespace pileus::host
