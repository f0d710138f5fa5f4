#include "foreign/internal/blocks.h"

#include <algorithm>

namespace pileus::foreign {
namespace {

constexpr u64 kBytesBetweenProgress = 16 * kMiB;  // of data: room is looked at too

bool is_zero(std::span<const u8> bytes) {
  return bytes.empty() || (bytes[0] == 0 && std::equal(bytes.begin() + 1, bytes.end(), bytes.begin()));
}

}  // namespace

Result<std::optional<Blocks::Block>> Blocks::next() {
  while (TRY(skip_to_data())) {
    const u64 index = next_++;
    if (looked_at_++ % std::max<u64>(kBytesBetweenProgress / block_.size(), 1) == 0 && progress_ &&
        !progress_(static_cast<double>(index) / static_cast<double>(count()))) {
      return Error(ErrorCode::kGone, "given up");
    }
    TRY(gather(index));
    if (!is_zero(block_)) return std::optional<Block>({index, block_});
  }
  return std::optional<Block>();
}

Result<bool> Blocks::skip_to_data() {
  if (next_ >= count()) return false;
  const u64 chunk = next_ * block_.size() / chunk_.size();
  const u64 data = TRY(disk_.next_data(chunk));
  if (data >= disk_.chunk_count()) return false;
  if (data > chunk) next_ = std::max(next_, data * chunk_.size() / block_.size());
  return next_ < count();
}

Result<> Blocks::load(u64 chunk) {
  if (loaded_ == chunk) return {};
  loaded_ = UINT64_MAX;
  TRY(disk_.read(chunk, chunk_));
  const u64 inside = disk_.size() - chunk * chunk_.size();
  if (inside < chunk_.size()) std::ranges::fill(std::span(chunk_).subspan(inside), u8{0});
  loaded_ = chunk;
  return {};
}

Result<> Blocks::gather(u64 index) {
  std::ranges::fill(block_, u8{0});
  const u64 begin = index * block_.size();
  const u64 end = std::min(begin + block_.size(), disk_.size());
  for (u64 at = begin; at < end;) {
    TRY(load(at / chunk_.size()));
    const u64 inside = at % chunk_.size();
    const u64 length = std::min(end - at, chunk_.size() - inside);
    std::ranges::copy(std::span(chunk_).subspan(inside, length),
                      block_.begin() + static_cast<std::ptrdiff_t>(at - begin));
    at += length;
  }
  return {};
}

}  // namespace pileus::foreign
