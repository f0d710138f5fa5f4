// Whole files and folders: read, replace, remove, lock.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "os/fd.h"

namespace pileus::os {

// Opens `path` with open(2) flags; O_CLOEXEC is added.
Result<Fd> open_file(const std::filesystem::path& path, int flags, unsigned mode = 0644);

// A file of `size` zeroes that exists in memory only, for as long as somebody has it open or mapped.
Result<Fd> anonymous_file(const char* name, u64 size);

// The content of a file of at most `limit` bytes (kInvalid when it is longer).
Result<std::string> read_file(const std::filesystem::path& path, u64 limit = 16 * kMiB);
Result<std::vector<u8>> read_bytes(const std::filesystem::path& path, u64 limit);

// Writes all of `data`, whatever write(2) takes at a time.
Result<> write_all(int fd, std::string_view data);

// Replaces the file by `data` as one step: a reader or a crash sees the old content or the new,
// never a part.
Result<> replace_file(const std::filesystem::path& path, std::string_view data, unsigned mode = 0644);

// Makes the folder and its parents; fine when it is there already.
Result<> make_directories(const std::filesystem::path& path);

// Removes a file or a whole folder; fine when it is not there.
Result<> remove_all(const std::filesystem::path& path);

// Moves within one file system, as one step.
Result<> rename(const std::filesystem::path& from, const std::filesystem::path& to);

// An exclusive lock (flock) on a file, made if missing, held until destroyed or until the process
// ends for any reason.
class FileLock {
 public:
  // kBusy at once when somebody holds it.
  static Result<FileLock> try_acquire(const std::filesystem::path& path);
  // Waits for it.
  static Result<FileLock> acquire(const std::filesystem::path& path);
  // Whether somebody, in any process, holds it now.
  static bool held(const std::filesystem::path& path);
  // Nothing gives it back but the end of the process: whoever finds it free knows that the process is gone.
  void keep_until_exit() && { static_cast<void>(fd_.release()); }

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

// A folder that is removed, with all in it, when destroyed, unless keep() was called.
class TemporaryDirectory {
 public:
  // Makes `prefix`XXXXXX with six random letters, e.g. prefix "/tmp/seed-".
  static Result<TemporaryDirectory> create(const std::filesystem::path& prefix);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace pileus::os
