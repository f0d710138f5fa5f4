// Starting a VM's pileus-vmm and waiting: for the guest to run, for SSH to answer, for the end.
#pragma once

#include <chrono>

#include "base/result.h"
#include "os/child_process.h"
#include "output.h"
#include "vms.h"

namespace pileus::cli {

enum class Lifetime {
  kForeground,  // shut down when we end, for whatever reason
  kDetached,    // goes on without us
};

// Starts it and returns when the guest runs; when it cannot, says why (as pileus-vmm put it) and
// leaves nothing running.
Result<os::ChildProcess> start_vmm(VmEntry& vm, Lifetime lifetime);

enum class SshWait { kAnswers, kEnded, kInterrupted, kTimeout };
// Shows progress while waiting for the guest's SSH server.
SshWait wait_for_ssh(const VmEntry& vm, std::chrono::seconds timeout);

// Waits until no VMM has the VM; false when `timeout` passed first or we were interrupted.
bool wait_for_end(const VmEntry& vm, std::chrono::seconds timeout);

// How to log in, for people.
void print_login(const VmEntry& vm);

}  // namespace pileus::cli
