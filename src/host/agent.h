// Agent: makes the VMs of this host what the cloud manager asks for, and tells it what they are.
//
// step() compares and acts, instance by instance; it never waits for a guest. Killed at any moment, the next one goes on
// from what it finds: folders, locks, and what the cloud knows.
#pragma once

#include <map>
#include <vector>

#include "host/cloud_link.h"
#include "host/host_disks.h"
#include "host/local_vm.h"
#include "host/switch_keeper.h"

namespace pileus::host {

class Agent {
 public:
  // `folder` gets instances/ and orphans/. `disks` are this host's.
  static Result<std::unique_ptr<Agent>> create(const image::Library& library, const std::filesystem::path& folder,
                                               CloudLink& cloud, std::optional<vswitch::Endpoint> tunnel,
                                               HostDisks& disks);
  // The virtual switch ends if no VM runs; else it goes on, as VMs do.
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  // One round for these assignments; `news`: they have just come. True: something was done, so that the next round should
  // come soon.
  bool step(control::Assignments& assignments, bool news, LocalVm::Time now);

  const std::filesystem::path& instances() const { return instances_; }  // the folder of their folders
  const std::filesystem::path& network() const { return switch_.folder(); }

 private:
  Agent(const image::Library& library, const std::filesystem::path& folder, CloudLink& cloud,
        std::optional<vswitch::Endpoint> tunnel, HostDisks& disks)
      : library_(library),
        instances_(folder / "instances"),
        orphans_(folder / "orphans"),
        cloud_(cloud),
        disks_(disks),
        switch_(folder / "switch", cloud, tunnel) {}

  struct Told {
    std::string what;
    std::string why;
    bool guest_ended = false;
  };
  struct Restarts {
    LocalVm::Time first;
    int count = 0;
  };

  Result<bool> attend(control::Assignment& assignment, LocalVm& vm, LocalVm::Time now);
  Result<bool> attend_running(control::Assignment& assignment, LocalVm& vm, LocalVm::Time now);
  Result<bool> attend_pending(control::Assignment& assignment, LocalVm& vm);
  Result<bool> attend_stopped(control::Assignment& assignment, LocalVm& vm, LocalVm::Time now);
  Result<bool> attend_terminated(control::Assignment& assignment, LocalVm& vm);
  Result<bool> make(control::Assignment& assignment, LocalVm& vm);
  Result<> start(const control::Assignment& assignment, LocalVm& vm);
  // True: it has other volumes than the cloud knows, which is told with the next report.
  Result<bool> follow_volumes(control::Assignment& assignment, LocalVm& vm);
  Result<bool> follow_stopped(control::Assignment& assignment, LocalVm& vm);
  Result<bool> make_where_it_moved(control::Assignment& assignment, LocalVm& vm);
  Result<bool> let_go(control::Assignment& assignment, LocalVm& vm);
  Result<bool> follow_rules(control::Assignment& assignment, LocalVm& vm);
  Result<bool> follow_room(control::Assignment& assignment, LocalVm& vm);
  Result<bool> bring_back(control::Assignment& assignment, LocalVm& vm, LocalVm::Time now);
  Result<bool> fail(control::Assignment& assignment, LocalVm& vm, const std::string& why);
  // Tells the cloud, and changes the assignment accordingly.
  Result<> report(control::Assignment& assignment, const LocalVm& vm, model::InstanceState state, Told told);
  bool put_orphans_away(const std::vector<control::Assignment>& assignments, LocalVm::Time now);

  const image::Library& library_;
  const std::filesystem::path instances_;
  const std::filesystem::path orphans_;
  CloudLink& cloud_;
  HostDisks& disks_;
  const control::DiskTasks* tasks_ = nullptr;  // of the round that goes on
  SwitchKeeper switch_;
  std::map<model::InstanceId, LocalVm> vms_;
  std::map<model::InstanceId, Restarts> restarts_;
  std::map<model::InstanceId, LocalVm::Time> orphan_since_;
};

}  // namespace pileus::host
