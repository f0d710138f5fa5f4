// The little of TCP that is needed beside libslirp: ports of 127.0.0.1, and whether a server
// answers there.
#pragma once

#include <chrono>
#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "os/fd.h"

namespace pileus::os {

// Listens at a port of 127.0.0.1; kBusy and kPermission as below.
Result<Fd> listen_loopback(u16 port, const std::string& address = "127.0.0.1");

// kBusy when somebody has the port, kPermission when we may not have it.
Result<> check_port_free(u16 port, const std::string& address = "127.0.0.1");
// Our own address on the way to an IPv4 address. kNotFound when no way leads there.
Result<std::string> address_towards(const std::string& address);
// Whether it is an IPv4 address that never leaves this machine, 127.x.x.x.
bool is_loopback(const std::string& address);

// A port that is free now; another program may still take it before it is used.
Result<u16> find_free_port();

// The first line that the server at a port of 127.0.0.1 sends by itself, as an SSH server does; at
// most 255 bytes.
Result<std::string> read_banner(u16 port, std::chrono::milliseconds timeout, const std::string& address = "127.0.0.1");

}  // namespace pileus::os
