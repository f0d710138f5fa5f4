#include "machine/diskboot/ext_io.h"

#include <algorithm>

namespace pileus::machine {

namespace {

// The open callback is given a name only; this is the window it is meant for.
thread_local ExtWindow* opening_window = nullptr;

errcode_t io_open(const char* /*name*/, int /*flags*/, io_channel* channel);

errcode_t io_close(io_channel channel) {
  if (--channel->refcount == 0) delete channel;
  return 0;
}

errcode_t io_set_blksize(io_channel channel, int size) {
  channel->block_size = size;
  return 0;
}

bool read_window(const ExtWindow& window, u64 start, std::span<u8> out) {
  return window.disk->read(window.offset + start, out).ok();
}

bool read_cached(ExtWindow& window, u64 start, std::span<u8> out) {
  ExtWindow::CachedBlock& slot = window.cache[start / out.size() % window.cache.size()];
  if (slot.start != start || slot.bytes.size() != out.size()) {
    slot.start = ~u64{0};
    slot.bytes.resize(out.size());
    if (!read_window(window, start, slot.bytes)) return false;
    slot.start = start;
  }
  std::copy(slot.bytes.begin(), slot.bytes.end(), out.begin());
  return true;
}

// A negative count is a number of bytes instead of blocks.
errcode_t io_read_blk64(io_channel channel, unsigned long long block, int count, void* data) {
  auto& window = *static_cast<ExtWindow*>(channel->private_data);
  if (channel->block_size <= 0) return EXT2_ET_BAD_MAGIC;
  const auto block_size = static_cast<u64>(channel->block_size);
  const u64 size = count < 0 ? static_cast<u64>(-i64{count}) : static_cast<u64>(count) * block_size;
  const auto start = checked_mul<u64>(block, block_size);
  if (!start || *start > window.length || size > window.length - *start) return EXT2_ET_SHORT_READ;
  const std::span<u8> out(static_cast<u8*>(data), size);
  const bool done = count == 1 ? read_cached(window, *start, out) : read_window(window, *start, out);
  return done ? 0 : EXT2_ET_SHORT_READ;
}

errcode_t io_read_blk(io_channel channel, unsigned long block, int count, void* data) {
  return io_read_blk64(channel, block, count, data);
}

errcode_t io_write_blk(io_channel, unsigned long, int, const void*) { return EXT2_ET_RO_FILSYS; }
errcode_t io_write_blk64(io_channel, unsigned long long, int, const void*) { return EXT2_ET_RO_FILSYS; }
errcode_t io_flush(io_channel) { return 0; }

struct_io_manager make_manager() {
  struct_io_manager manager{};
  manager.magic = EXT2_ET_MAGIC_IO_MANAGER;
  manager.name = "pileus disk reader";
  manager.open = io_open;
  manager.close = io_close;
  manager.set_blksize = io_set_blksize;
  manager.read_blk = io_read_blk;
  manager.write_blk = io_write_blk;
  manager.flush = io_flush;
  manager.read_blk64 = io_read_blk64;
  manager.write_blk64 = io_write_blk64;
  return manager;
}

io_manager manager() {
  static struct_io_manager instance = make_manager();
  return &instance;
}

errcode_t io_open(const char* /*name*/, int /*flags*/, io_channel* channel) {
  auto* made = new struct_io_channel{};
  made->magic = EXT2_ET_MAGIC_IO_CHANNEL;
  made->manager = manager();
  made->block_size = 1024;
  made->refcount = 1;
  made->private_data = opening_window;
  *channel = made;
  return 0;
}

}  // namespace

errcode_t open_ext(ExtWindow& window, ext2_filsys* filesystem) {
  opening_window = &window;
  const errcode_t status = ext2fs_open2("disk", nullptr, EXT2_FLAG_64BITS, 0, 0, manager(), filesystem);
  opening_window = nullptr;
  return status;
}

}  // namespace pileus::machine
