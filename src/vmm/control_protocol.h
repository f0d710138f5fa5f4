// The control protocol of one VMM: a local socket, one JSON object a line each way.
//
//   request:  {"command": "status" | "stats" | "stop" | "kill" | "reset" | "nmi" | "profile-start" | "profile-stop"}
//   reply:    {"ok": true, ...}  or  {"ok": false, "error": "one sentence"}
//
// `stop` presses the power button and answers at once; `kill` ends the VM as pulling the plug; `nmi` is a
// server's NMI button.
// `profile-start` begins a profile, in place of one that somebody began before; `profile-stop` ends it and leaves it as
// the file profile.folded (debug/profile/folding.h) in the VM's folder. A line longer than kMaxRequest ends the connection.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/engine.h"
#include "vmm/vm_directory.h"

namespace pileus::vmm {

inline constexpr std::size_t kMaxRequest = 4096;

enum class Command { kStatus, kStats, kStop, kKill, kReset, kNmi, kProfileStart, kProfileStop };

std::string encode_request(Command command);
Result<Command> parse_request(std::string_view line);

std::string encode_ok();
std::string encode_error(const Error& error);
std::string encode_status_reply(const VmState& state);
std::string encode_stats_reply(const engine::Counters& counters);

}  // namespace pileus::vmm
