#include "virtio/room_notice.h"

#include <utility>

#include "base/log.h"

namespace pileus::virtio {

RoomNotice::Verdict RoomNotice::report(const Result<>& result) {
  constexpr u64 kMaxErrorsReported = 10;
  if (result.ok()) return Verdict::kOk;
  if (result.error().code() == ErrorCode::kExhausted) {
    no_room_ = result.error().message();
    return Verdict::kNoRoom;
  }
  if (++errors_ <= kMaxErrorsReported) log::error("disk {}: {}", disk_, result.error().message());
  return Verdict::kError;
}

void RoomNotice::tell(bool waiting) {
  if (std::exchange(told_, waiting) == waiting) return;
  if (waiting) log::warn("disk {} waits for room: {}", disk_, no_room_);
  else log::info("disk {}: there is room again", disk_);
  if (on_room_) on_room_(waiting ? no_room_ : "");
}

}  // namespace pileus::virtio
