// RoomNotice: what a disk says, in the log and to its owner, of backends that fail or have no room for a change.
//
// Not thread-safe: it belongs to the disk's I/O thread.
#pragma once

#include <functional>
#include <string>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::virtio {

// Told when the first request is kept for want of room, with the reason, and with an empty text when the last goes on.
using OnRoom = std::function<void(const std::string& why)>;

class RoomNotice {
 public:
  // `disk` stands in the log.
  RoomNotice(std::string disk, OnRoom on_room) : disk_(std::move(disk)), on_room_(std::move(on_room)) {}

  enum class Verdict { kOk, kError, kNoRoom };
  // What a request to the backend came to; errors go into the log.
  Verdict report(const Result<>& result);
  // Whether requests wait; why, the last report said that found no room.
  void tell(bool waiting);

 private:
  const std::string disk_;
  const OnRoom on_room_;
  std::string no_room_;
  bool told_ = false;
  u64 errors_ = 0;
};

}  // namespace pileus::virtio
