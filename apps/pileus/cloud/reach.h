// Getting into an instance over SSH.
#pragma once

#include <string>
#include <vector>

#include "cloud/session.h"

namespace pileus::cli {

struct SshAddress {
  std::string host;
  u16 port = 22;
};
// kNotFound: no port of the instance is reachable from here.
Result<SshAddress> ssh_address(const InstanceInfo& instance);

struct SshWords {
  std::string user;      // empty: the image's
  std::string identity;  // private key; empty: our own
  std::string jump;      // where to go through SSH first; may be empty
  std::vector<std::string> command;
};
Result<std::vector<std::string>> ssh_command(image::Library& library, const InstanceInfo& instance,
                                             const SshWords& words);

// Until its SSH server says something; of an instance that only its own host reaches, not at all. kTimeout, kIo when it ends
// before.
Result<> wait_for_login(const image::Library& library, const client::Cloud& cloud, const InstanceInfo& instance,
                        std::chrono::seconds patience);
void print_login(image::Library& library, const InstanceInfo& instance);

}  // namespace pileus::cli
