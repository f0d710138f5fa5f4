// A cloud manager that only listens.
#pragma once

#include <map>
#include <set>

#include "host/cloud_link.h"

namespace pileus::host::testing {

// Takes what the host says, as the cloud manager does; may refuse.
class FakeCloud : public CloudLink {
 public:
  Result<control::ReportAnswer> report(const control::HostReport&) override { return control::ReportAnswer{}; }
  Result<control::Assignments> next_assignments() override { return control::Assignments{}; }
  Result<control::Assignments> assignments() override { return control::Assignments{}; }
  Result<std::string> network() override { return std::string(); }
  Result<> observe(const control::Observation&) override { return {}; }
  Result<> observe(const control::VolumeObservation& told) override {
    TRY(listen());
    if (told.deleted) deleted.insert(told.observed.id);
    volumes[told.observed.id] = told.observed;
    return {};
  }
  Result<> observe(const control::SnapshotObservation& told) override {
    TRY(listen());
    snapshots[told.observed.id] = told.observed;
    return {};
  }
  Result<> observe(const control::TransferObservation& told) override {
    TRY(listen());
    transfers[told.observed.id] = told.observed;
    return {};
  }
  Result<control::ConsoleWishes> console_wishes(u64) override { return control::ConsoleWishes{}; }
  Result<> console_output(const control::ConsoleOutput&) override { return {}; }
  void cancel() override {}

  std::map<model::VolumeId, model::VolumeObserved> volumes;
  std::map<model::SnapshotId, model::SnapshotObserved> snapshots;
  std::map<model::TransferId, model::TransferObserved> transfers;
  std::set<model::VolumeId> deleted;
  int calls = 0;
  int refused = -1;  // this call

 private:
  Result<> listen() {
    if (calls++ == refused) return Error(ErrorCode::kTimeout, "the test says no");
    return {};
  }
};

}  // namespace pileus::host::testing
