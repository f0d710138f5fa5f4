// The serial console of an instance wherever it runs: through the cloud's API.
#pragma once

#include "cloud/session.h"
#include "login.h"

namespace pileus::cli {

// Connects the terminal until the user types Ctrl-] or the VM ends.
Result<ConsoleEnd> attach_remote_console(const client::Cloud& cloud, const InstanceInfo& instance);

}  // namespace pileus::cli
