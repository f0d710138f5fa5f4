// The socket a server listens at, and addresses as text.
#pragma once

#include <sys/socket.h>

#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "os/fd.h"

namespace pileus::http {

struct Listener {
  os::Fd socket;
  u16 port = 0;
};

// kInvalid for an address that is not numeric, kBusy when somebody has the port, kPermission when we may not have it.
Result<Listener> listen_at(const std::string& address, u16 port);

// Without the port.
std::string numeric_address(const sockaddr* address);

}  // namespace pileus::http
