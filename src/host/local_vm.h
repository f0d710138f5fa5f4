// LocalVm: the VM of one instance on this host, as folder and process. Every call looks at what is, does one step, and
// returns at once; whoever wants more calls again.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "control/host_protocol.h"
#include "image/library.h"
#include "os/child_process.h"
#include "vmm/vm_directory.h"

namespace pileus::host {

// Where a VM is plugged in.
struct SwitchPlace {
  std::string socket;
  std::string mac;
};

// Those that have a VM's folder in `folder`.
std::vector<model::InstanceId> instances_in(const std::filesystem::path& folder);

class LocalVm {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // The guest has so long to shut down when its power button is pressed; then the plug is pulled.
  static constexpr std::chrono::seconds kStopPatience{90};

  // `parent` is the folder with the folders of all instances.
  LocalVm(const std::filesystem::path& parent, model::InstanceId id)
      : parent_(parent), id_(id), directory_(parent / id.text()) {}
  // The VM goes on.
  ~LocalVm() {
    if (child_) child_->detach();
  }
  LocalVm(const LocalVm&) = delete;
  LocalVm& operator=(const LocalVm&) = delete;

  const vmm::VmDirectory& directory() const { return directory_; }
  bool exists() const;
  bool alive() const { return directory_.in_use(); }
  vmm::VmState state() const { return directory_.state(); }
  // "127.77.0.5", or "127.0.0.1:40022" where ports below 1024 may not be used; empty when no port leads in.
  std::string public_address() const;

  // A volume to boot from.
  struct Root {
    std::filesystem::path folder;
    std::string serial;
  };
  // Without a root its disk is in its own folder, over the image of the library.
  Result<> make(const image::Library& library, const control::Assignment& assignment, const std::optional<Root>& root);
  // Starts it, plugged in at `place`; its ports are those of the assignment from now on.
  Result<> start(const control::Assignment& assignment, const SwitchPlace& place);
  // Makes the forwards lead to the ports of the assignment, for the switch to carry out. True: they have changed.
  Result<bool> choose_forwards(const control::Assignment& assignment);
  // Its process is there, and has not taken the VM's lock yet: on a busy machine that takes longer than a round.
  bool is_starting();
  // Why the last start failed, once: nothing while it goes on or has gone well.
  std::optional<std::string> start_failure();
  // Presses the power button, and pulls the plug when the guest has had its time.
  Result<> shut_down(Time now);
  Result<> kill();
  // All of it. kBusy while it lives.
  Result<> remove();

 private:
  std::filesystem::path parent_;
  model::InstanceId id_;
  vmm::VmDirectory directory_;
  std::optional<os::ChildProcess> child_;  // while it is our child: not after a restart of ours
  std::optional<Time> pressed_at_;
};

}  // namespace pileus::host
