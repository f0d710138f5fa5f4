// CloudLink: this host's calls to the cloud manager; of several, to one until it fails, then to the next.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/console_protocol.h"
#include "control/host_protocol.h"
#include "host/membership.h"

namespace pileus::host {

class CloudLink {
 public:
  static Result<std::unique_ptr<CloudLink>> open(const Membership& membership);
  virtual ~CloudLink() = default;

  virtual Result<control::ReportAnswer> report(const control::HostReport& report) = 0;
  // Waits until they are other than those of the last call, for about control::kLongPoll at most.
  virtual Result<control::Assignments> next_assignments() = 0;
  // Those of now.
  virtual Result<control::Assignments> assignments() = 0;
  // What the virtual switch has to know now: a control::HostNetwork, encoded.
  virtual Result<std::string> network() = 0;
  virtual Result<> observe(const control::Observation& observation) = 0;
  virtual Result<> observe(const control::VolumeObservation& observation) = 0;
  virtual Result<> observe(const control::SnapshotObservation& observation) = 0;
  virtual Result<> observe(const control::TransferObservation& observation) = 0;
  // Waits until there is more than what came with `after`, for about control::kLongPoll at most.
  virtual Result<control::ConsoleWishes> console_wishes(u64 after) = 0;
  virtual Result<> console_output(const control::ConsoleOutput& output) = 0;
  // Ends a next_assignments() and a console_wishes() that wait.
  virtual void cancel() = 0;
};

}  // namespace pileus::host
