// What every command that speaks to a cloud begins with: the cloud, and the instance that a person named.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/cloud.h"
#include "command_line.h"
#include "image/library.h"

namespace pileus::cli {

// $PILEUS_HOME/cloud: what `pileus up` keeps.
std::filesystem::path cloud_folder(const image::Library& library);
// Where the cloud is, as `pileus up` writes it.
std::filesystem::path client_settings_file(const image::Library& library);
// That file, or if there is none, the one of a cloud manager that was started otherwise: as a service.
std::filesystem::path known_settings_file(const image::Library& library);

Result<client::Cloud> open_cloud(const image::Library& library);

// These parameters of an action, and those that options of the command named.
client::Parameters with_options(const CommandLine& line, client::Parameters parameters);

// An instance as people see it.
struct InstanceInfo {
  std::string id;
  std::string name;   // the tag Name; may be empty
  std::string state;  // "running"
  std::string reason;
  std::string image;
  std::string type;
  std::string key;
  std::string zone;
  std::string private_address;
  std::string public_address;  // "127.0.0.1:40022" when a port of the host leads to it; may be empty
  std::string launched;
  client::Node node;

  const std::string& label() const { return name.empty() ? id : name; }
};

// All that the account has, newest first; those that are terminated only on request.
Result<std::vector<InstanceInfo>> list_instances(const client::Cloud& cloud, bool with_terminated);

// By id, by the beginning of an id that only one has, or by name. kNotFound; kInvalid when several fit.
Result<InstanceInfo> find_instance(const client::Cloud& cloud, const std::string& text);

// The id of a host, by itself or by the host's name, which administrators may ask for. kNotFound.
Result<std::string> find_host(const client::Cloud& cloud, const std::string& text);

// The first of STEM-1, STEM-2, ... that no instance has.
Result<std::string> unused_name(const client::Cloud& cloud, const std::string& stem);

// As find_instance() for an id, again and again, until `state`. kTimeout; kIo, with the cloud's reason, when it has come
// to a state from which it does not get there.
Result<InstanceInfo> wait_for_state(const client::Cloud& cloud, const InstanceInfo& instance, const std::string& state,
                                    std::chrono::seconds patience);

}  // namespace pileus::cli
