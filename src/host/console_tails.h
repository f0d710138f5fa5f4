// ConsoleTails: what the cloud manager does not have yet of the consoles of this host's instances.
//
// A manager keeps them in memory only. So what was told counts once its answer has come, and for that manager alone:
// another one, or the same one started again, is told everything anew. One thread.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "model/id.h"

namespace pileus::host {

class ConsoleTails {
 public:
  static constexpr std::size_t kTail = 32 * kKiB;     // of one console
  static constexpr std::size_t kAtOnce = 512 * kKiB;  // of all, for one report: JSON may make six times as much of it

  // `instances`: the folder of their folders.
  explicit ConsoleTails(std::filesystem::path instances) : instances_(std::move(instances)) {}

  // The ends of consoles that have changed since they were told; those first that have waited longest.
  std::map<model::InstanceId, std::string> changed();
  // What changed() gave last has come to `manager`. True: it has nothing of others yet, which are to be told at once.
  bool told(const std::string& manager);

 private:
  using Time = std::filesystem::file_time_type;
  struct Told {
    Time written;
    u64 turn = 0;  // greater: told later
  };

  const std::filesystem::path instances_;
  std::string manager_;
  std::map<model::InstanceId, Told> told_;  // to manager_
  std::map<model::InstanceId, Time> offered_;  // by the last changed()
  bool leaves_out_ = false;  // consoles that the manager has nothing of
  u64 turn_ = 0;
};

}  // namespace pileus::host
