// GsiRoutes: which interrupt message is behind which number (GSI) of a KVM virtual machine. KVM takes that table only whole,
// so it is kept here. Messages are as KVM writes them: see as_kvm_has_it(). Any thread.
//
// The first numbers are for level-triggered messages, whose end KVM has to report (LevelRoutes); sources of interrupts take
// the others.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "base/ints.h"
#include "base/result.h"
#include "engine/kvm/level_routes.h"
#include "guest/interrupt.h"

namespace pileus::engine::kvm {

// With what is above 8 bits of the destination in the upper half of the address. Nothing: not a message to the APICs.
std::optional<guest::MsiMessage> as_kvm_has_it(const guest::MsiMessage& message);

class GsiRoutes {
 public:
  // `count` numbers of the virtual machine whose file `vm` is.
  GsiRoutes(int vm, u32 count) : vm_(vm), count_(count) {}

  // From now on KVM reports when the guest ends this one.
  Result<> add_level(const guest::MsiMessage& message);

  std::optional<u32> take();  // a free number; nothing: all are taken
  void give_back(u32 gsi);
  // What a number that was taken sends; nothing: it has no effect.
  Result<> set(u32 gsi, const std::optional<guest::MsiMessage>& message);

 private:
  Result<> write_table() const;  // under mutex_

  const int vm_;
  const u32 count_;
  std::mutex mutex_;
  LevelRoutes levels_;  // guarded by mutex_
  std::map<u32, std::optional<guest::MsiMessage>> taken_;  // guarded by mutex_
};

}  // namespace pileus::engine::kvm
