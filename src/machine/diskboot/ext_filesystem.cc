#include "machine/diskboot/ext_filesystem.h"

#include <algorithm>
#include <cstdio>

#include "machine/diskboot/ext_io.h"

namespace pileus::machine {

struct ExtFilesystem::State {
  ~State() {
    if (filesystem != nullptr) ext2fs_close_free(&filesystem);
  }
  ExtWindow window;
  ext2_filsys filesystem = nullptr;
};

namespace {

constexpr u64 kMaxNames = 10000;

Error damaged(const std::string& path) {
  return {ErrorCode::kCorrupt, path + " cannot be read: the file system is damaged or the disk cannot be read"};
}

Result<std::vector<u8>> read_all(ext2_file_t file, const std::string& path, u64 limit) {
  __u64 size = 0;
  if (ext2fs_file_get_lsize(file, &size) != 0) return damaged(path);
  if (size > limit) {
    return Error(ErrorCode::kExhausted, path + " is larger than " + std::to_string(limit / kMiB) + " MiB");
  }
  std::vector<u8> bytes(size);
  for (u64 done = 0; done < size;) {
    constexpr u64 kChunk = 16 * kMiB;
    unsigned int got = 0;
    const auto want = static_cast<unsigned int>(std::min<u64>(kChunk, size - done));
    if (ext2fs_file_read(file, bytes.data() + done, want, &got) != 0 || got == 0) return damaged(path);
    done += got;
  }
  return bytes;
}

int add_name(ext2_dir_entry* entry, int /*offset*/, int /*blocksize*/, char* /*buffer*/, void* names_pointer) {
  auto& names = *static_cast<std::vector<std::string>*>(names_pointer);
  const auto length = static_cast<u64>(ext2fs_dirent_name_len(entry));
  std::string name(entry->name, length);
  if (name != "." && name != "..") names.push_back(std::move(name));
  return names.size() < kMaxNames ? 0 : DIRENT_ABORT;
}

}  // namespace

ExtFilesystem::ExtFilesystem(std::unique_ptr<State> state) : state_(std::move(state)) {}
ExtFilesystem::ExtFilesystem(ExtFilesystem&&) noexcept = default;
ExtFilesystem& ExtFilesystem::operator=(ExtFilesystem&&) noexcept = default;
ExtFilesystem::~ExtFilesystem() = default;

Result<ExtFilesystem> ExtFilesystem::open(DiskReader& disk, const Partition& partition) {
  auto state = std::make_unique<State>();
  state->window.disk = &disk;
  state->window.offset = partition.offset;
  state->window.length = partition.length;
  const errcode_t status = open_ext(state->window, &state->filesystem);
  if (status == EXT2_ET_BAD_MAGIC || status == EXT2_ET_SHORT_READ) {
    return Error(ErrorCode::kNotFound, "no ext2, ext3 or ext4 file system");
  }
  if (status != 0) return Error(ErrorCode::kCorrupt, "its ext4 file system is damaged or of an unknown kind");
  return ExtFilesystem(std::move(state));
}

Result<u32> ExtFilesystem::find(const std::string& path) {
  ext2_ino_t inode = 0;
  if (ext2fs_namei_follow(state_->filesystem, EXT2_ROOT_INO, EXT2_ROOT_INO, path.c_str(), &inode) != 0) {
    return Error(ErrorCode::kNotFound, path + " does not exist");
  }
  return inode;
}

Result<std::vector<u8>> ExtFilesystem::read_file(const std::string& path, u64 limit) {
  const u32 inode = TRY(find(path));
  ext2_inode details{};
  if (ext2fs_read_inode(state_->filesystem, inode, &details) != 0) return damaged(path);
  if (!LINUX_S_ISREG(details.i_mode)) return Error(ErrorCode::kNotFound, path + " is not a file");
  ext2_file_t file = nullptr;
  if (ext2fs_file_open(state_->filesystem, inode, 0, &file) != 0) return damaged(path);
  Result<std::vector<u8>> bytes = read_all(file, path, limit);
  ext2fs_file_close(file);
  return bytes;
}

Result<std::vector<std::string>> ExtFilesystem::list(const std::string& path) {
  const u32 inode = TRY(find(path));
  std::vector<std::string> names;
  if (ext2fs_dir_iterate(state_->filesystem, inode, 0, nullptr, add_name, &names) != 0) {
    return Error(ErrorCode::kNotFound, path + " is not a directory that can be read");
  }
  return names;
}

bool ExtFilesystem::exists(const std::string& path) { return find(path).ok(); }

std::string ExtFilesystem::uuid() const {
  const u8* u = state_->filesystem->super->s_uuid;
  char text[40];
  std::snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
                u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
  return text;
}

}  // namespace pileus::machine
