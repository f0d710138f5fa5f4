// Irqfd: a source of interrupt messages that the host's kernel sends: an eventfd, which KVM reads (KVM_IRQFD) while there
// is a route. So whoever has the eventfd can signal, without a lock and without the virtual machine at hand.
//
// Without a route nobody reads the eventfd, and that it is readable is what is kept. KVM looks at it when it gets it back.
//
// Should KVM ever refuse, which it has no reason to but lack of memory, messages are sent one by one from then on.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "base/result.h"
#include "engine/kvm/gsi_routes.h"
#include "guest/interrupt.h"
#include "guest/message_source.h"
#include "os/fd.h"

namespace pileus::engine::kvm {

class Irqfd final : public guest::MsiSource {
 public:
  // `vm` is the virtual machine's file; it and what is referred to must outlive the source. `sink` is for when KVM refuses.
  static Result<std::unique_ptr<guest::MsiSource>> create(int vm, GsiRoutes& routes, guest::MsiSink& sink);
  ~Irqfd() override;

  void signal() override;
  void set_route(const std::optional<guest::MsiMessage>& route) override;
  bool pending() const override;
  void forget() override;

 private:
  Irqfd(int vm, GsiRoutes& routes, u32 gsi, os::Fd event, guest::MsiSink& sink)
      : vm_(vm), routes_(routes), gsi_(gsi), event_(std::move(event)), messages_(sink) {}
  Result<> follow(const std::optional<guest::MsiMessage>& route);  // under mutex_
  Result<> bind(bool wanted);  // under mutex_
  bool drain();
  void send_by_message();

  const int vm_;
  GsiRoutes& routes_;
  const u32 gsi_;
  const os::Fd event_;
  guest::MessageSource messages_;
  std::atomic<bool> refused_ = false;  // KVM did: messages_ sends
  mutable std::mutex mutex_;
  bool bound_ = false;  // KVM reads event_; guarded by mutex_
};

}  // namespace pileus::engine::kvm
