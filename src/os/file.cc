#include "os/file.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

namespace pileus::os {

Result<Fd> open_file(const std::filesystem::path& path, int flags, unsigned mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return Error::from_errno("open " + path.string());
  return Fd(fd);
}

Result<Fd> anonymous_file(const char* name, u64 size) {
  Fd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid() || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
    return Error::from_errno("make a file of " + std::to_string(size >> 20) + " MiB in memory");
  }
  return fd;
}

Result<std::vector<u8>> read_bytes(const std::filesystem::path& path, u64 limit) {
  const Fd fd = TRY(open_file(path, O_RDONLY));
  struct stat status{};
  const bool sized = ::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode);
  const u64 expected = sized ? static_cast<u64>(status.st_size) : 0;
  // One byte more than there should be shows at once that there is no more. Files in /proc say that they have none.
  std::vector<u8> content(std::min(expected, limit) + 1);
  for (u64 used = 0;;) {
    const ssize_t got = ::read(fd.get(), content.data() + used, content.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error::from_errno("read " + path.string());
    used += static_cast<u64>(got);
    if (used > limit) {
      return Error(ErrorCode::kInvalid, path.string() + " is longer than " + std::to_string(limit) + " bytes");
    }
    if (used == content.size()) content.resize(used + 64 * kKiB);
    if (got != 0) continue;
    content.resize(used);
    return content;
  }
}

Result<std::string> read_file(const std::filesystem::path& path, u64 limit) {
  const std::vector<u8> bytes = TRY(read_bytes(path, limit));
  return std::string(bytes.begin(), bytes.end());
}

Result<> write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Error::from_errno("write");
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<> replace_file(const std::filesystem::path& path, std::string_view data, unsigned mode) {
  const std::string temporary = path.string() + ".new." + std::to_string(::getpid());
  const Fd fd = TRY(open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode));
  Result<> done = write_all(fd.get(), data);
  if (done && ::fsync(fd.get()) != 0) done = Error::from_errno("fsync");
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0) done = Error::from_errno("rename");
  if (!done) ::unlink(temporary.c_str());
  return std::move(done).with("write " + path.string());
}

Result<> make_directories(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Error::from_errno("make the folder " + path.string(), error.value());
  return {};
}

Result<> remove_all(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return Error::from_errno("remove " + path.string(), error.value());
  return {};
}

Result<> rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return Error::from_errno("rename " + from.string() + " to " + to.string());
  }
  return {};
}

Result<FileLock> FileLock::try_acquire(const std::filesystem::path& path) {
  Fd fd = TRY(open_file(path, O_RDWR | O_CREAT));
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Error::from_errno("lock " + path.string());
    // Beside an owner nobody gets a share; beside held(), which only looks, one does.
    if (::flock(fd.get(), LOCK_SH | LOCK_NB) != 0) return Error(ErrorCode::kBusy, path.string() + " is locked");
    ::flock(fd.get(), LOCK_UN);
    ::sched_yield();
  }
  return FileLock(std::move(fd));
}

Result<FileLock> FileLock::acquire(const std::filesystem::path& path) {
  Fd fd = TRY(open_file(path, O_RDWR | O_CREAT));
  while (::flock(fd.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return Error::from_errno("lock " + path.string());
  }
  return FileLock(std::move(fd));
}

bool FileLock::held(const std::filesystem::path& path) {
  Result<Fd> fd = open_file(path, O_RDONLY);
  // The shared probe is let go at once, so two probes never take each other for an owner.
  return fd && ::flock(fd->get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Result<TemporaryDirectory> TemporaryDirectory::create(const std::filesystem::path& prefix) {
  std::string name = prefix.string() + "XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return Error::from_errno("make the folder " + name);
  return TemporaryDirectory(name);
}

TemporaryDirectory::~TemporaryDirectory() {
  if (path_.empty()) return;
  std::error_code ignored;  // nothing can be done about a leftover here
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace pileus::os
