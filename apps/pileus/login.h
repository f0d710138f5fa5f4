// Getting into a VM: SSH and the serial console.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "vms.h"

namespace pileus::cli {

// The ssh command that logs in, or runs `words` in the guest.
std::vector<std::string> ssh_command(const VmEntry& vm, const std::vector<std::string>& words);

// Becomes that ssh; returns only when it cannot.
Error become_ssh(const VmEntry& vm, const std::vector<std::string>& words);

// This process becomes the ssh command; returns only when it cannot.
Error become(std::vector<std::string> ssh);

enum class ConsoleEnd { kLeft, kVmEnded };
enum class ConsoleKind { kSerial, kVirtio };
// Connects the terminal with a console of the VM until the user types Ctrl-] or the VM ends.
Result<ConsoleEnd> attach_console(const VmEntry& vm, ConsoleKind kind);

}  // namespace pileus::cli
