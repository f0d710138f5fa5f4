#include "os/fd.h"

#include <unistd.h>

namespace pileus::os {

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

}  // namespace pileus::os
