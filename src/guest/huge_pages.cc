#include "guest/huge_pages.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace pileus::guest {

namespace {

constexpr u64 kPiece = 2 * kMiB;
constexpr u8 kDone = 255, kPatience = 3;
constexpr int kCollapse = 25;  // MADV_COLLAPSE, which the headers of Debian 12 do not have
constexpr u64 kMostAhead = 8;
constexpr u64 kInOrder = 4;  // pieces: Linux skips some that it has given away before
// A guest that boots touches a piece every few milliseconds, one that is settled hardly ever.
constexpr std::chrono::microseconds kShortest{1000}, kLongest{2'000'000};

u64 blocks_of(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 ? static_cast<u64>(status.st_blocks) : 0;
}

}  // namespace

HugePages::HugePages(const GuestMemory& memory)
    : memory_(memory),
      base_(memory.regions().front().host),
      failures_(memory.size() / kPiece),
      left_(failures_.size()),
      thread_([this] { loop(); }) {}

HugePages::~HugePages() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

u64 HugePages::next_touched(u64 piece) const {
  for (;; ++piece) {
    while (piece < failures_.size() && failures_[piece] == kDone) ++piece;
    if (piece == failures_.size()) return piece;
    const off_t data = ::lseek(memory_.fd(), static_cast<off_t>(piece * kPiece), SEEK_DATA);
    if (data < 0) return failures_.size();
    const u64 found = static_cast<u64>(data) / kPiece;
    if (found >= failures_.size()) return failures_.size();
    if (failures_[found] != kDone) return found;
    piece = found;
  }
}

bool HugePages::make_huge(u64 piece) {
  const bool made = ::madvise(base_ + piece * kPiece, kPiece, kCollapse) == 0;
  if (!made && errno == EINVAL && left_ == failures_.size()) {
    left_ = 0;  // an older kernel, or one without huge pages
    return false;
  }
  if (made || ++failures_[piece] >= kPatience) {  // or there is no memory in one piece
    failures_[piece] = kDone;
    --left_;
  }
  return made;
}

void HugePages::look_ahead(u64 piece) {
  if (piece < next_ && next_ - piece < kInOrder) return;  // left out before
  const bool in_order = piece >= next_ && piece - next_ < kInOrder;
  ahead_ = in_order ? std::min(std::max<u64>(2 * ahead_, 1), kMostAhead) : 0;
  next_ = piece + 1;
  const u64 end = std::min<u64>(next_ + ahead_, failures_.size());
  for (; next_ < end && failures_[next_] != kDone; ++next_) {
    // The kernel makes huge pages only of what is there in part.
    if (::madvise(base_ + next_ * kPiece, 1, MADV_POPULATE_WRITE) != 0 || !make_huge(next_)) return;
  }
}

u64 HugePages::collapse() {
  const u64 blocks = blocks_of(memory_.fd());
  if (blocks == blocks_) return 0;
  u64 collapsed = 0;
  for (u64 piece = next_touched(0); piece < failures_.size(); piece = next_touched(piece + 1)) {
    if (make_huge(piece)) {
      ++collapsed;
      look_ahead(piece);
    }
    if (left_ == 0) return collapsed;
    const std::scoped_lock lock(mutex_);
    if (stopping_) break;
  }
  blocks_ = blocks_of(memory_.fd());
  return collapsed;
}

void HugePages::loop() {
  std::chrono::microseconds pause = kShortest;
  while (left_ != 0) {
    {
      std::unique_lock lock(mutex_);
      if (stopped_.wait_for(lock, pause, [this] { return stopping_; })) return;
    }
    pause = collapse() != 0 ? kShortest : std::min(pause * 5 / 4, kLongest);
  }
}

}  // namespace pileus::guest
