// VmDirectory: the folder of one VM, by which the command line and the VMM meet.
//
//   config.json    VmConfig; written before the first start
//   disk.overlay   what the guest changed of its base disk
//   chain.json     which layers the disk is made of; missing: the base and disk.overlay (store/disk_folder.h)
//   disks.json     what else is attached (attached_disks.h); may be missing
//   seed.iso       the NoCloud seed; read-only; may be missing
//   lock           held (flock) by the VMM while it lives: the only proof that the VM runs, whatever state.json says
//   state.json     VmState, replaced as a whole by the VMM
//   control.sock   see control_protocol.h
//   console.sock   a byte stream: the serial console
//   console.log    what the guest printed there; console.log.old before that
//   virtio-console.sock, virtio-console.log   the same for the virtio console, /dev/hvc0 in Linux
//   profile.folded what the last `pileus vm profile` found; may be missing
//   vmm.log        what the VMM has to say
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "os/file.h"
#include "vmm/config.h"

namespace pileus::vmm {

enum class VmPhase {
  kStarting,  // the VMM prepares it
  kRunning,
  kStopping,  // the power button was pressed
  kStopped,   // the guest powered itself off, or it never ran
  kKilled,    // ended from outside: `vm kill`, or the VMM was killed
  kCrashed,   // the guest triple-faulted
  kFailed,    // the VMM could not start it or go on; message says why
};
const char* phase_name(VmPhase phase);
bool is_alive(VmPhase phase);

struct VmState {
  VmPhase phase = VmPhase::kStopped;
  i64 pid = 0;             // of the VMM; 0: none
  i64 started_unix_s = 0;  // when it was last started; 0: never
  std::string message;     // one sentence; may be empty
  std::string engine_used;    // that of the last start, "bt" or "kvm"; empty: never started
  std::string engine_reason;  // why that one
  std::vector<std::string> waiting_disks;  // ids of those whose changes wait for room on the host
  std::optional<u32> exit_code;  // what the guest ended it with, at the exit port
};
std::string encode_state(const VmState& state);
Result<VmState> parse_state(std::string_view text);

class VmDirectory {
 public:
  explicit VmDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::string file(const char* name) const { return (path_ / name).string(); }
  std::string overlay() const { return file("disk.overlay"); }
  std::string disks() const { return file("disks.json"); }
  std::string seed() const { return file("seed.iso"); }
  std::string control_socket() const { return file("control.sock"); }
  std::string console_socket() const { return file("console.sock"); }
  std::string console_log() const { return file("console.log"); }
  std::string virtio_console_socket() const { return file("virtio-console.sock"); }
  std::string virtio_console_log() const { return file("virtio-console.log"); }
  std::string profile() const { return file("profile.folded"); }
  std::string vmm_log() const { return file("vmm.log"); }
  static constexpr const char* kTranslations = "translations";

  Result<VmConfig> config() const;
  Result<> save_config(const VmConfig& config) const;
  // The truth: a state that claims a living VMM is corrected when nobody holds the lock.
  VmState state() const;
  Result<> save_state(const VmState& state) const;
  // kBusy when a VMM has it.
  Result<os::FileLock> lock() const { return os::FileLock::try_acquire(path_ / "lock"); }
  bool in_use() const { return os::FileLock::held(path_ / "lock"); }

 private:
  std::filesystem::path path_;
};

}  // namespace pileus::vmm
