// The control protocol of one VMM: a local socket, one JSON object a line each way.
//
//   request:  {"command": "status" | "stats" | "stop" | "kill" | "reset" | "nmi" | "profile-start" | "profile-stop" | ...}
//   reply:    {"ok": true, ...}  or  {"ok": false, "error": "one sentence"}
//
// `stop` presses the power button and answers at once; `kill` ends the VM as pulling the plug; `nmi` is a
// server's NMI button.
// `profile-start` begins a profile, in place of one that somebody began before; `profile-stop` ends it and leaves it as
// the file profile.folded (debug/profile/folding.h) in the VM's folder. The commands about disks, with their fields, are
// in docs/formats/vm-folder.md. A line longer than kMaxRequest ends the connection.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "vmm/vm_directory.h"

namespace pileus::vmm {

inline constexpr std::size_t kMaxRequest = 4096;

enum class Command {
  kStatus,
  kStats,
  kStop,
  kKill,
  kReset,
  kNmi,
  kProfileStart,
  kProfileStop,
  kDiskList,
  kDiskAttach,
  kDiskDetach,
  kDiskResize,
  kDiskSnapshot,
};

// What goes with the commands about disks; the others leave it empty.
struct DiskArguments {
  std::vector<std::string> disks;  // ids; all but snapshots are about one
  std::string path;  // to be attached: a disk's folder, or a file with the bytes of a disk
  std::string device;  // the name that it is to be known by, "/dev/sdf"; may be empty
  bool read_only = false;
  bool force = false;  // detach without asking the guest
  u64 bytes = 0;  // the new size
  std::string mark;  // of the snapshot
};

struct Request {
  Request(Command wanted = Command::kStatus, DiskArguments about = {})  // NOLINT(google-explicit-constructor)
      : command(wanted), disk(std::move(about)) {}
  Command command;
  DiskArguments disk;
};

// One disk of a running VM.
struct DiskStatus {
  std::string id;
  std::string path;
  std::string device;
  u64 bytes = 0;
  bool read_only = false;
  u32 place = 0;  // among the machine's disks
  u64 layers = 0;  // below the overlay that takes the writes
  bool detaching = false;  // the guest was asked to let go of it
};

std::string encode_request(const Request& request);
Result<Request> parse_request(std::string_view line);

std::string encode_ok();
std::string encode_error(const Error& error);
std::string encode_status_reply(const VmState& state);
std::string encode_disks_reply(const std::vector<DiskStatus>& disks);
std::string encode_stats_reply(const engine::Counters& counters);

}  // namespace pileus::vmm
