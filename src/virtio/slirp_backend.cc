#include "virtio/slirp_backend.h"

namespace pileus::virtio {

Result<std::unique_ptr<SlirpBackend>> SlirpBackend::create(os::EventLoop& loop, const SlirpOptions& options) {
  std::unique_ptr<nat::UserNetwork> network;
  const auto start = [&]() -> Result<> {
    network = TRY(nat::UserNetwork::create(loop, options.network));
    for (const nat::Forward& forward : options.forwards) TRY(network->add_forward(forward));
    return {};
  };
  Result<> started;
  loop.call([&] {
    started = start();
    if (!started) network.reset();
  });
  TRY(std::move(started));
  return std::unique_ptr<SlirpBackend>(new SlirpBackend(loop, std::move(network)));
}

SlirpBackend::~SlirpBackend() {
  loop_.call([this] { network_.reset(); });
}

void SlirpBackend::send(const packet::Offload& offload, std::span<u8> frame) {
  packet::Offload left = offload;
  if (packet::finish_checksum(left, frame)) network_->send(frame);
}

void SlirpBackend::set_receiver(Receiver receiver) {
  if (!receiver) {
    network_->set_receiver({});
    return;
  }
  // Its checksums are libslirp's, and right.
  network_->set_receiver([receive = std::move(receiver)](std::span<const u8> frame) {
    receive(packet::Offload{.flags = packet::Offload::kDataValid}, frame);
  });
}

}  // namespace pileus::virtio
