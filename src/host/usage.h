// What the VMs of this host use of it.
#pragma once

#include <filesystem>
#include <map>

#include "control/usage_log.h"

namespace pileus::host {

// Of those that run. `instances` is the folder with the folders of all instances, `network` the virtual switch's. What the
// system does not tell is 0.
std::map<model::InstanceId, control::InstanceUsage> measure_usage(const std::filesystem::path& instances,
                                                                  const std::filesystem::path& network);

// One process of `/proc`, given the texts of its files stat, statm and io. Source: proc(5).
control::InstanceUsage parse_process_usage(const std::string& stat, const std::string& statm, const std::string& io);

}  // namespace pileus::host
