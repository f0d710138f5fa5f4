// Server: the gdb stub of one machine. Waits at a socket for a GDB, one at a time, any number after one another; serves it
// on a thread of its own.
//
// While a GDB is connected it alone pauses and resumes the machine. It may read and change all of the guest, so the socket
// is for the VM's owner: a path that only they may connect to, or a port of 127.0.0.1, which everybody on this host may.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "base/result.h"
#include "engine/debug.h"
#include "machine/machine.h"
#include "os/fd.h"

namespace pileus::debug::gdb {

// Where it listens.
struct UnixAddress {
  std::string path;
};
struct TcpAddress {
  u16 port = 0;  // of 127.0.0.1
};
using Address = std::variant<UnixAddress, TcpAddress>;

// "unix:PATH" or "tcp:127.0.0.1:PORT".
Result<Address> parse_address(const std::string& text);
std::string to_string(const Address& address);

class Server {
 public:
  // Listens, but serves nobody yet.
  static Result<std::unique_ptr<Server>> listen(const Address& address);
  // Drops the GDB that is connected; it is told that the guest has ended.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves from now on. Once. The machine must outlive the server.
  void serve(machine::Machine& machine);
  // To be told of each MachineConfig::on_debug_stop. Any thread, before serve() too.
  void on_stop(u32 cpu, const engine::DebugStop& stop);

 private:
  struct Stop {
    u32 cpu;
    engine::DebugStop stop;
  };
  Server(os::Fd listener, os::Fd wake) : listener_(std::move(listener)), wake_(std::move(wake)) {}
  void loop();
  void serve_client(int client);
  void wake();
  bool is_ending();
  std::vector<Stop> take_stops();

  os::Fd listener_;
  os::Fd wake_;  // eventfd: what the mutex guards has changed
  machine::Machine* machine_ = nullptr;
  std::thread thread_;
  std::mutex mutex_;
  std::vector<Stop> stops_;  // guarded by mutex_
  bool ending_ = false;  // guarded by mutex_
};

}  // namespace pileus::debug::gdb
