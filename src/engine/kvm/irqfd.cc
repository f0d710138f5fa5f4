#include "engine/kvm/irqfd.h"

#include <linux/kvm.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "engine/kvm/device.h"

namespace pileus::engine::kvm {

Result<std::unique_ptr<guest::MsiSource>> Irqfd::create(int vm, GsiRoutes& routes, guest::MsiSink& sink) {
  os::Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event.valid()) return Error::from_errno("make an eventfd");
  const std::optional<u32> gsi = routes.take();
  if (!gsi) return Error(ErrorCode::kUnsupported, "KVM has no more interrupt numbers");
  return std::unique_ptr<guest::MsiSource>(new Irqfd(vm, routes, *gsi, std::move(event), sink));
}

Irqfd::~Irqfd() {
  (void)bind(false);
  routes_.give_back(gsi_);
}

void Irqfd::signal() {
  (void)::eventfd_write(event_.get(), 1);
  if (refused_) send_by_message();
}

void Irqfd::set_route(const std::optional<guest::MsiMessage>& route) {
  const std::lock_guard lock(mutex_);
  if (!refused_) {
    const Result<> followed = follow(route);
    if (followed) return;
    log::warn("an interrupt of a device is sent by message from now on: {}", followed.error().message());
    (void)bind(false);
    refused_ = true;
  }
  messages_.set_route(route);
  send_by_message();  // what came while that was being found out
}

// A message to elsewhere than the APICs makes a number without effect: KVM reads the eventfd, and that is all.
Result<> Irqfd::follow(const std::optional<guest::MsiMessage>& route) {
  if (route) TRY(routes_.set(gsi_, as_kvm_has_it(*route)));
  return bind(route.has_value());
}

// KVM injects what it finds in the eventfd when it gets it, and when it gives it back has injected all that was written.
Result<> Irqfd::bind(bool wanted) {
  if (bound_ == wanted) return {};
  kvm_irqfd request{};
  request.fd = static_cast<u32>(event_.get());
  request.gsi = gsi_;
  request.flags = wanted ? 0 : KVM_IRQFD_FLAG_DEASSIGN;
  TRY(call(vm_, KVM_IRQFD, &request, "KVM_IRQFD"));
  bound_ = wanted;
  return {};
}

bool Irqfd::drain() {
  eventfd_t count = 0;
  return ::eventfd_read(event_.get(), &count) == 0;
}

void Irqfd::send_by_message() {
  if (drain()) messages_.signal();
}

bool Irqfd::pending() const {
  const std::lock_guard lock(mutex_);
  if (refused_) return messages_.pending();
  pollfd event{event_.get(), POLLIN, 0};
  return !bound_ && ::poll(&event, 1, 0) == 1;
}

void Irqfd::forget() {
  const std::lock_guard lock(mutex_);
  drain();
  messages_.forget();
}

}  // namespace pileus::engine::kvm
