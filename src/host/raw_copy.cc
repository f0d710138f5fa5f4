#include "host/raw_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "os/file.h"
#include "store/layer_file.h"
#include "virtio/raw_file.h"

namespace pileus::host {
namespace {

constexpr u64 kPiece = 64 * kKiB;
constexpr u64 kPiecesBetweenLooks = 256;

Result<> make_empty(const std::filesystem::path& path, u64 bytes) {
  const os::Fd fd = TRY(os::open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  if (::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0) return Error::from_errno("make a disk's file");
  return {};
}

Result<> copy(virtio::BlockBackend& disk, virtio::BlockBackend& file, const foreign::Progress& progress) {
  std::vector<u8> bytes(kPiece);
  u64 pieces = 0;
  for (u64 at = 0; at < disk.size(); at += kPiece) {
    at = align_down(disk.next_data(at), kPiece);
    if (at >= disk.size()) break;
    if (pieces++ % kPiecesBetweenLooks == 0 && !progress(static_cast<double>(at) / static_cast<double>(disk.size()))) {
      return Error(ErrorCode::kGone, "given up");
    }
    const std::span<u8> piece = std::span(bytes).first(std::min(kPiece, disk.size() - at));
    TRY(disk.read(at, piece));
    if (!store::is_zero(piece)) TRY(file.write(at, piece));
  }
  return file.flush();
}

}  // namespace

Result<> write_raw(virtio::BlockBackend& disk, const std::filesystem::path& to, const foreign::Progress& progress) {
  TRY(make_empty(to, disk.size()));
  const auto fill = [&]() -> Result<> {
    const auto file = TRY(virtio::RawFile::open(to, virtio::Access::kReadWrite));
    return copy(disk, *file, progress);
  };
  Result<> filled = fill();
  if (!filled) static_cast<void>(os::remove_all(to));  // the first failure is the one to be told
  return filled;
}

}  // namespace pileus::host
