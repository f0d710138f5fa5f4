// SharedView: one view for all who need it in a process: the API, the controllers, what answers hosts.
//
// Worklist: what a controller has yet to look at. Each change in the view adds what changed; besides, everything is added
// once in about a minute, so that whatever was missed is found all the same: a small part each second, because looking at
// all at once would hold up requests. What a controller could not finish stays on its list.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "control/view.h"

namespace pileus::control {

class SharedView {
 public:
  explicit SharedView(state::Store& store) : view_(store) {}

  // Calls `use` with a view that holds all that was committed before. On one thread at a time: it must be quick, and not
  // call the store.
  Result<> read(const std::function<void(View&)>& use);
  // The same with the view as it is; for one who has just had it brought up to date.
  void look(const std::function<void(View&)>& use);
  Result<> sync();
  Result<> apply_own(const std::string& key, const std::string& value, state::Revision revision);
  state::Revision revision();

 private:
  std::mutex mutex_;
  View view_;
};

// `given`, or a view of one's own.
inline std::shared_ptr<SharedView> view_or_own(std::shared_ptr<SharedView> given, state::Store& store) {
  return given ? std::move(given) : std::make_shared<SharedView>(store);
}

// One thread.
class Worklist {
 public:
  explicit Worklist(std::shared_ptr<SharedView> view);
  ~Worklist();
  Worklist(const Worklist&) = delete;
  Worklist& operator=(const Worklist&) = delete;

  // Brings the view up to date, and adds what has changed; everything at first, then a part of everything each kStep.
  Result<> refresh();
  void add(model::InstanceId id) { todo_.instances.insert(id); }

  // Those on the list that are `wanted`, which stay on it until they are done; the others are taken off.
  template <typename Id, typename Object>
  using Test = std::function<bool(Id, const Object&)>;
  using InstanceTest = Test<model::InstanceId, InstanceView>;
  std::vector<std::pair<model::InstanceId, InstanceView>> instances(const InstanceTest& wanted);
  // Those on the list that are not in view at all; they are taken off.
  std::vector<model::InstanceId> gone();
  using HostTest = Test<model::HostId, HostView>;
  std::vector<std::pair<model::HostId, HostView>> hosts(const HostTest& wanted);
  using VolumeTest = Test<model::VolumeId, VolumeView>;
  std::vector<std::pair<model::VolumeId, VolumeView>> volumes(const VolumeTest& wanted);
  using SnapshotTest = Test<model::SnapshotId, SnapshotView>;
  std::vector<std::pair<model::SnapshotId, SnapshotView>> snapshots(const SnapshotTest& wanted);
  void add(model::VolumeId id) { todo_.volumes.insert(id); }
  void done(model::InstanceId id) { todo_.instances.erase(id); }
  void done(model::HostId id) { todo_.hosts.erase(id); }
  void done(model::VolumeId id) { todo_.volumes.erase(id); }
  void done(model::SnapshotId id) { todo_.snapshots.erase(id); }

 private:
  static constexpr std::chrono::seconds kStep{1};
  static constexpr std::size_t kSteps = 60;  // of a round
  // The last one of each kind that was added by a round.
  struct Round {
    model::InstanceId instance;
    model::HostId host;
    model::VolumeId volume;
    model::SnapshotId snapshot;
  };
  void add_all(const View& shared);
  void add_some(const View& shared);

  const std::shared_ptr<SharedView> view_;
  Changes noted_;  // guarded by the view
  Changes todo_;
  Round round_;
  std::optional<std::chrono::steady_clock::time_point> stepped_at_;
};

}  // namespace pileus::control
