// Worker: a process whose address space is made of pages of guest memory, in which the guest's user code runs on the
// host's processor as it is.
//
// It has no rights: its seccomp filter allows guest code no system call, and the only memory it shares with the VMM is the
// guest's. Which of that it sees is the VMM's choice, page by page.
#pragma once

#include <sys/types.h>
#include <ucontext.h>

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "engine/bt/direct/stub.h"
#include "os/fd.h"
#include "os/mapping.h"

namespace pileus::engine::bt {
struct Context;
}

namespace pileus::engine::bt::direct {

// Whether this host can: a processor with FSGSBASE that the kernel lets user space use.
bool is_supported();
// Whether CPUID raises an exception in a worker.
bool is_cpuid_fault_supported();

// Why it stopped.
enum class Stop { kKick, kSystemCall, kBreakpoint, kTrap, kFault };

class Worker {
 public:
  // `memory_fd`: guest memory. The process ends with the calling thread, at the latest.
  static Result<std::unique_ptr<Worker>> start(int memory_fd);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  bool is_alive() const;
  pid_t pid() const { return pid_; }

  // Carries out up to kMaxRequests. False: the worker is lost.
  bool map(std::span<const MapRequest> requests);

  // Makes an instruction that begins at `address` stop it, before it is executed. False: the host has no more breakpoints,
  // or gives none to us.
  bool set_breakpoint(u64 address);
  // Those in [begin, end).
  void remove_breakpoints(u64 begin, u64 end);

  // The registers it stopped with and goes on with, and its XSAVE image.
  ucontext_t& frame() { return *frame_; }
  u8* xsave_image() { return image_; }
  Stop stop() const;
  u64 fs_base() const { return scratch().fs_base; }
  u64 gs_base() const { return scratch().gs_base; }

  // Runs guest code until the next signal, which kick() may be. False: the worker is lost, and with it what the guest code
  // did to its registers since.
  bool run(Context& context, u64 fs_base, u64 gs_base);
  // From a signal handler of the thread that is in run().
  void kick() const;

 private:
  Worker(os::Mapping shared, pid_t pid, os::Fd process);
  Control& control() const;
  const Scratch& scratch() const;
  bool wait_for(int fd, Context* context);
  bool find_frame();
  int signal_code() const;

  os::Mapping shared_;  // the region from kControlOffset on
  pid_t pid_;
  os::Fd process_;
  os::Fd exit_, go_, request_, mapped_;
  struct Breakpoint {
    u64 address;
    os::Fd event;
  };
  std::vector<Breakpoint> breakpoints_;
  ucontext_t* frame_ = nullptr;
  u8* image_ = nullptr;
};

}  // namespace pileus::engine::bt::direct
