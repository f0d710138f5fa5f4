#include "guest/message_source.h"

namespace pileus::guest {

std::unique_ptr<MsiSource> MsiSink::make_source() { return std::make_unique<MessageSource>(*this); }

void MessageSource::signal() {
  const std::lock_guard lock(mutex_);
  pending_ = true;
  send_pending();
}

void MessageSource::set_route(const std::optional<MsiMessage>& route) {
  const std::lock_guard lock(mutex_);
  route_ = route;
  send_pending();
}

void MessageSource::send_pending() {
  if (!pending_ || !route_) return;
  pending_ = false;
  sink_.signal_msi(route_->address, route_->data);
}

bool MessageSource::pending() const {
  const std::lock_guard lock(mutex_);
  return pending_;
}

void MessageSource::forget() {
  const std::lock_guard lock(mutex_);
  pending_ = false;
}

}  // namespace pileus::guest
