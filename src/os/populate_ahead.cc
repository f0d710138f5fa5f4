#include "os/populate_ahead.h"

#include <sys/mman.h>

#include <algorithm>

namespace pileus::os {

namespace {

constexpr u64 kPage = 4096;

u8* up_to_piece(const u8* at) {
  return reinterpret_cast<u8*>(align_up(reinterpret_cast<u64>(at), PopulateAhead::kPiece));
}

}  // namespace

PopulateAhead::PopulateAhead(std::span<const std::span<u8>> spans) {
  bool any = false;
  for (const std::span<u8> span : spans) {
    u8* const end = span.data() + span.size();
    if (span.size() < kShortest) {
      spans_.push_back({end, end, end, end});
      continue;
    }
    u8* const begin = reinterpret_cast<u8*>(align_down(reinterpret_cast<u64>(span.data()), kPage));
    spans_.push_back({up_to_piece(begin), begin, up_to_piece(begin) + kPiece, end});
    any = true;
  }
  if (any) thread_ = std::thread([this] { loop(); });
}

PopulateAhead::~PopulateAhead() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void PopulateAhead::want(u64 number, const u8* at) {
  Span& span = spans_[number];
  if (span.next_call >= span.end) return;
  {
    const std::scoped_lock lock(mutex_);
    span.wanted = std::min(up_to_piece(at + 1) + kPiece, span.end);
  }
  span.next_call = up_to_piece(at + 1);
  changed_.notify_one();
}

PopulateAhead::Span* PopulateAhead::behind() {
  const auto found =
      std::find_if(spans_.begin(), spans_.end(), [](const Span& span) { return span.ready < span.wanted; });
  return found != spans_.end() ? &*found : nullptr;
}

void PopulateAhead::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || behind() != nullptr; });
    if (stopping_) return;
    Span& span = *behind();
    u8* const piece = span.ready;
    u8* const end = std::min(up_to_piece(piece + 1), span.wanted);
    lock.unlock();
    const bool done = ::madvise(piece, static_cast<u64>(end - piece), MADV_POPULATE_WRITE) == 0;
    lock.lock();
    if (!done) return;
    span.ready = end;
  }
}

}  // namespace pileus::os
