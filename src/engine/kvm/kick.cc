#include "engine/kvm/kick.h"

#include <linux/kvm.h>
#include <pthread.h>
#include <sys/ioctl.h>

#include <array>
#include <cstring>

#include "engine/kvm/list.h"

namespace pileus::engine::kvm {

namespace {

// A kvm_signal_mask, whose array has no length: see list.h.
struct SignalMask {
  u32 bytes = 8;
  std::array<u8, 8> signals{};  // the kernel's sigset_t, which is the start of that of C
};
constexpr unsigned long kSetSignalMask = sized_request(KVM_SET_SIGNAL_MASK, sizeof(u32));

}  // namespace

int kick_signal() { return SIGRTMIN + 3; }

Result<> install_kick_handler() {
  struct sigaction action{};
  action.sa_handler = [](int) {};  // no SA_RESTART: the call has to end
  if (::sigaction(kick_signal(), &action, nullptr) != 0) return Error::from_errno("set the signal that stops vCPUs");
  return {};
}

PendingKick::PendingKick(int vcpu) : vcpu_(vcpu) {
  sigset_t kick;
  sigemptyset(&kick);
  sigaddset(&kick, kick_signal());
  CHECK(::pthread_sigmask(SIG_BLOCK, &kick, &before_) == 0);
  sigset_t inside = before_;
  sigdelset(&inside, kick_signal());
  SignalMask mask;
  std::memcpy(mask.signals.data(), &inside, mask.signals.size());
  CHECK(::ioctl(vcpu_, kSetSignalMask, &mask) == 0);
  CHECK(::pthread_kill(::pthread_self(), kick_signal()) == 0);
}

PendingKick::~PendingKick() {
  CHECK(::ioctl(vcpu_, kSetSignalMask, nullptr) == 0);
  CHECK(::pthread_sigmask(SIG_SETMASK, &before_, nullptr) == 0);  // the handler runs here
}

}  // namespace pileus::engine::kvm
