#include "os/directory.h"

#include <fcntl.h>
#include <unistd.h>

#include "os/file.h"

namespace pileus::os {

Result<> sync_directory(const std::filesystem::path& path) {
  const Fd fd = TRY(open_file(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return Error::from_errno("flush " + path.string());
  return {};
}

}  // namespace pileus::os
