// PortLink: the local socket of one port, and the VM behind it (docs/formats/switch-port.md).
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "os/event_loop.h"
#include "os/fd.h"
#include "packet/offload.h"

namespace pileus::vswitch {

class PortLink {
 public:
  // The bytes may be changed.
  using Receiver = std::function<void(const packet::Offload& offload, std::span<u8> frame)>;

  // Listens at `path`. On the loop's thread, as everything here; `loop` must outlive the link.
  static Result<std::unique_ptr<PortLink>> create(os::EventLoop& loop, const std::filesystem::path& path,
                                                  Receiver receiver);
  // Whoever is connected sees the end, and tries again.
  ~PortLink();
  PortLink(const PortLink&) = delete;
  PortLink& operator=(const PortLink&) = delete;

  // Drops the frame when there is no VM, or it takes too little.
  void send(const packet::Offload& offload, std::span<const u8> frame);
  bool connected() const { return socket_.valid(); }
  u64 dropped() const { return dropped_; }

 private:
  struct Waiting {
    packet::Offload offload;
    std::vector<u8> frame;
  };
  PortLink(os::EventLoop& loop, std::filesystem::path path, Receiver receiver)
      : loop_(loop), path_(std::move(path)), receiver_(std::move(receiver)), incoming_(packet::kMaxFrame) {}
  void accept();
  void disconnect();
  void on_events(u32 events);
  void receive();
  void send_waiting();
  void watch(bool for_room);

  os::EventLoop& loop_;
  const std::filesystem::path path_;
  const Receiver receiver_;
  os::Fd listener_;
  os::Fd socket_;
  std::vector<u8> incoming_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  u64 dropped_ = 0;
};

}  // namespace pileus::vswitch
