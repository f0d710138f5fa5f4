// Starting a VM's pileus-vmm and waiting: for the guest to run, for SSH to answer, for the end.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "os/child_process.h"
#include "output.h"
#include "vms.h"

namespace pileus::cli {

enum class Lifetime {
  kForeground,  // shut down when we end, for whatever reason
  kDetached,    // goes on without us
};

// What is wished for this run alone.
struct DebugWish {
  std::string gdb;  // as --gdb; empty: nobody debugs the guest
  bool wait = false;
};

// Starts it and returns when the guest runs; when it cannot, says why (as pileus-vmm put it) and
// leaves nothing running.
Result<os::ChildProcess> start_vmm(VmEntry& vm, Lifetime lifetime, const DebugWish& debug);

enum class SshWait { kAnswers, kEnded, kInterrupted, kTimeout };
// Shows progress while waiting for the guest's SSH server.
SshWait wait_for_ssh(const VmEntry& vm, std::chrono::seconds timeout);

// Waits until no VMM has the VM; false when `timeout` passed first or we were interrupted.
bool wait_for_end(const VmEntry& vm, std::chrono::seconds timeout);

// How to connect GDB, for people; nothing when nobody asked for it.
void print_gdb(const DebugWish& debug);

// How to log in, for people.
void print_login(const VmEntry& vm);

}  // namespace pileus::cli
