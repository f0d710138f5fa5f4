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
// A guest that boots touches a piece every few milliseconds; one that is settled hardly ever.
constexpr std::chrono::milliseconds kShortest{20}, kLongest{2000};

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

u64 HugePages::collapse() {
  const u64 blocks = blocks_of(memory_.fd());
  if (blocks == blocks_) return 0;
  u64 collapsed = 0;
  for (u64 piece = next_touched(0); piece < failures_.size(); piece = next_touched(piece + 1)) {
    if (::madvise(base_ + piece * kPiece, kPiece, kCollapse) == 0) {
      failures_[piece] = kDone;
      ++collapsed;
    } else if (errno == EINVAL && left_ == failures_.size()) {
      left_ = 0;  // an older kernel, or one without huge pages
      return 0;
    } else if (++failures_[piece] >= kPatience) {
      failures_[piece] = kDone;  // no memory in one piece
    }
    if (failures_[piece] == kDone) --left_;
    const std::scoped_lock lock(mutex_);
    if (stopping_) break;
  }
  blocks_ = blocks_of(memory_.fd());
  return collapsed;
}

void HugePages::loop() {
  auto pause = kShortest;
  while (left_ != 0) {
    {
      std::unique_lock lock(mutex_);
      if (stopped_.wait_for(lock, pause, [this] { return stopping_; })) return;
    }
    pause = collapse() != 0 ? kShortest : std::min(pause * 2, kLongest);
  }
}

}  // namespace pileus::guest
