#include "control/shared_view.h"

namespace pileus::control {
namespace {

// Those of `todo` that `find` finds and that are wanted; the others are taken off.
template <typename Id, typename Find, typename Object>
std::vector<std::pair<Id, Object>> take(std::set<Id>& todo, Find find,
                                        const std::function<bool(Id, const Object&)>& wanted) {
  std::vector<std::pair<Id, Object>> found;
  std::erase_if(todo, [&](const Id id) {
    const Object* object = find(id);
    if (object == nullptr || !wanted(id, *object)) return true;
    found.emplace_back(id, *object);
    return false;
  });
  return found;
}

// One of `parts` equal parts of `all`: what comes after `last`, and from the end on again from the beginning.
template <typename Map, typename Id>
void add_next(const Map& all, std::size_t parts, Id& last, std::set<Id>& todo) {
  auto next = all.upper_bound(last);
  for (std::size_t left = (all.size() + parts - 1) / parts; left > 0; --left) {
    if (next == all.end()) next = all.begin();
    last = next->first;
    todo.insert(last);
    ++next;
  }
}

}  // namespace

Result<> SharedView::read(const std::function<void(View&)>& use) {
  const std::lock_guard lock(mutex_);
  TRY(view_.sync());
  use(view_);
  return {};
}

void SharedView::look(const std::function<void(View&)>& use) {
  const std::lock_guard lock(mutex_);
  use(view_);
}

Result<> SharedView::sync() {
  return read([](View&) {});
}

Result<> SharedView::apply_own(const std::string& key, const std::string& value, state::Revision revision) {
  const std::lock_guard lock(mutex_);
  return view_.apply_own(key, value, revision);
}

state::Revision SharedView::revision() {
  const std::lock_guard lock(mutex_);
  return view_.revision();
}

Worklist::Worklist(std::shared_ptr<SharedView> view) : view_(std::move(view)) {
  view_->look([this](View& shared) { shared.note_in(noted_); });
}

Worklist::~Worklist() {
  view_->look([this](View& shared) { shared.stop_noting_in(noted_); });
}

Result<> Worklist::refresh() {
  const auto now = std::chrono::steady_clock::now();
  const bool step = !stepped_at_ || now >= *stepped_at_ + kStep;
  TRY(view_->read([&](View& shared) {
    todo_.instances.merge(noted_.instances);
    todo_.hosts.merge(noted_.hosts);
    todo_.volumes.merge(noted_.volumes);
    todo_.snapshots.merge(noted_.snapshots);
    noted_ = {};
    if (!stepped_at_) add_all(shared);
    else if (step) add_some(shared);
  }));
  if (step) stepped_at_ = now;
  return {};
}

void Worklist::add_all(const View& shared) {
  for (const auto& [id, instance] : shared.instances()) todo_.instances.insert(id);
  for (const auto& [id, host] : shared.hosts()) todo_.hosts.insert(id);
  for (const auto& [id, volume] : shared.disks().volumes()) todo_.volumes.insert(id);
  for (const auto& [id, snapshot] : shared.disks().snapshots()) todo_.snapshots.insert(id);
}

void Worklist::add_some(const View& shared) {
  add_next(shared.instances(), kSteps, round_.instance, todo_.instances);
  add_next(shared.hosts(), kSteps, round_.host, todo_.hosts);
  add_next(shared.disks().volumes(), kSteps, round_.volume, todo_.volumes);
  add_next(shared.disks().snapshots(), kSteps, round_.snapshot, todo_.snapshots);
}

std::vector<std::pair<model::InstanceId, InstanceView>> Worklist::instances(const InstanceTest& wanted) {
  std::vector<std::pair<model::InstanceId, InstanceView>> found;
  view_->look([&](View& shared) {
    found = take(todo_.instances, [&](model::InstanceId id) { return shared.find(id); }, wanted);
  });
  return found;
}

std::vector<model::InstanceId> Worklist::gone() {
  std::vector<model::InstanceId> found;
  view_->look([&](View& shared) {
    std::erase_if(todo_.instances, [&](const model::InstanceId id) {
      if (shared.find(id) != nullptr) return false;
      found.push_back(id);
      return true;
    });
  });
  return found;
}

std::vector<std::pair<model::HostId, HostView>> Worklist::hosts(const HostTest& wanted) {
  std::vector<std::pair<model::HostId, HostView>> found;
  view_->look(
      [&](View& shared) { found = take(todo_.hosts, [&](model::HostId id) { return shared.find(id); }, wanted); });
  return found;
}

std::vector<std::pair<model::VolumeId, VolumeView>> Worklist::volumes(const VolumeTest& wanted) {
  std::vector<std::pair<model::VolumeId, VolumeView>> found;
  view_->look([&](View& shared) {
    found = take(todo_.volumes, [&](model::VolumeId id) { return shared.disks().find(id); }, wanted);
  });
  return found;
}

std::vector<std::pair<model::SnapshotId, SnapshotView>> Worklist::snapshots(const SnapshotTest& wanted) {
  std::vector<std::pair<model::SnapshotId, SnapshotView>> found;
  view_->look([&](View& shared) {
    found = take(todo_.snapshots, [&](model::SnapshotId id) { return shared.disks().find(id); }, wanted);
  });
  return found;
}

}  // namespace pileus::control
