// The daemons of a cloud on this machine: starting them, and waiting for them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "image/library.h"
#include "os/child_process.h"
#include "os/file.h"

namespace pileus::cli {

// Its folder, whose lock says that it runs, and whose lock file says as what.
struct Daemon {
  std::string program;
  std::filesystem::path folder;

  std::filesystem::path lock() const { return folder / "daemon.lock"; }
  bool runs() const { return os::FileLock::held(lock()); }
  std::filesystem::path log() const { return folder / "daemon.log"; }
};

Daemon manager_of(const image::Library& library);
Daemon host_of(const image::Library& library);

// Refuses to start or end here what services do: started by root, the daemons would leave files that the services' user cannot
// read.
Result<> check_not_services(const image::Library& library);

Result<os::ChildProcess> spawn(const Daemon& daemon, const std::vector<std::string>& words);

// Waits until `ready`, with progress; the daemon's own words when it ends before that.
Result<> wait_until(const Daemon& daemon, os::ChildProcess& child, const std::string& what,
                    const std::function<bool()>& ready);

}  // namespace pileus::cli
