#include "engine/kvm/kick.h"

#include <csignal>

namespace pileus::engine::kvm {

int kick_signal() { return SIGRTMIN + 3; }

Result<> install_kick_handler() {
  struct sigaction action{};
  action.sa_handler = [](int) {};  // no SA_RESTART: the call has to end
  if (::sigaction(kick_signal(), &action, nullptr) != 0) return Error::from_errno("set the signal that stops vCPUs");
  return {};
}

}  // namespace pileus::engine::kvm
