#include "os/directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

#include "os/file.h"

namespace pileus::os {

Result<> sync_directory(const std::filesystem::path& path) {
  const Fd fd = TRY(open_file(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return Error::from_errno("flush " + path.string());
  return {};
}

Result<> give_to_owner_of_parent(const std::filesystem::path& folder) {
  const Fd fd = TRY(open_file(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  struct stat own = {};
  struct stat parent = {};
  if (::fstat(fd.get(), &own) != 0 || ::fstatat(fd.get(), "..", &parent, 0) != 0) {
    return Error::from_errno("look up the owner of " + folder.string());
  }
  if (own.st_uid == parent.st_uid) return {};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (::fchownat(fd.get(), name.c_str(), parent.st_uid, parent.st_gid, AT_SYMLINK_NOFOLLOW) != 0) {
      return Error::from_errno("change the owner of " + entry.path().string());
    }
  }
  if (error) return Error::from_errno("read the folder " + folder.string(), error.value());
  if (::fchown(fd.get(), parent.st_uid, parent.st_gid) != 0) {
    return Error::from_errno("change the owner of " + folder.string());
  }
  return {};
}

}  // namespace pileus::os
