// An instance: three records with one writer each, so that nobody overwrites what another one said.
//
//   desired   what the owner asked for; the API writes it
//   placed    which host has it, and why; the scheduler writes it, together with the host's claims
//   observed  what is; the host reports it, controllers write it
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/id.h"
#include "model/life.h"
#include "model/resources.h"

namespace pileus::model {

using Tags = std::map<std::string, std::string>;

// Milliseconds since 1970, UTC. 0: never.
using Millis = u64;

enum class Power : u8 { kRunning, kStopped, kTerminated };
template <>
struct Names<Power> {
  static constexpr std::array<std::string_view, 3> kAll = {"running", "stopped", "terminated"};
};

// What the owner asks of the host. Empty: does not matter.
struct PlacementWish {
  std::string zone;
  std::string engine;     // "bt", "kvm"
  std::string cpu_model;  // at least this one
  PlacementGroupId group;
  u32 partition = 0;  // of a partition group, from 1; 0: any
  HostId host;
  bool operator==(const PlacementWish&) const = default;
};

struct DiskWish {
  std::string device;  // "/dev/xvda"
  VolumeId volume;
  u64 size_gib = 0;
  bool delete_on_termination = true;
  Millis attached_at = 0;  // 0: with the launch
  bool operator==(const DiskWish&) const = default;
};

// How the instance may ask for its metadata.
struct MetadataOptions {
  bool enabled = true;
  bool token_required = false;  // version 2 only
  u32 hop_limit = 1;            // of answers, 1 to 64
  bool tags = false;            // whether it may read its tags there
  bool operator==(const MetadataOptions&) const = default;
};

struct InstanceDesired {
  InstanceId id;
  AccountId account;
  ReservationId reservation;
  u32 launch_index = 0;  // among those of the reservation
  ImageId image;
  std::string type;
  Resources takes;  // of the type when it was asked for: a changed table changes no instance
  std::string key_name;
  SubnetId subnet;
  std::vector<InterfaceId> interfaces;
  std::vector<SecurityGroupId> security_groups;
  std::vector<DiskWish> disks;
  PlacementWish wish;
  Power power = Power::kRunning;
  u64 reboots = 0;     // asked for so far: the host reboots when it has done fewer
  u64 generation = 1;  // one more with each change of this record
  std::string user_data;  // base64
  std::string client_token;
  Millis launched_at = 0;
  bool termination_protected = false;
  Tags tags;
  bool stop_protected = false;
  bool terminate_on_shutdown = false;  // by the guest itself; else it is stopped then
  bool monitored = false;    // remembered for clients: hosts measure all the same
  bool recovers = true;      // the same
  std::string cpu_credits = "unlimited";  // the same
  MetadataOptions metadata;
  LaunchTemplateId template_id;  // that it was launched from; may be none
  u64 template_version = 0;
  InstanceId clone_of;  // may be none, and may be gone
  bool awaits_disks = false;  // they are still being copied: no host gets it before
  bool operator==(const InstanceDesired&) const = default;
};

// On its way to another host, which holds room for it already (docs/adr/0058).
struct Migration {
  HostId to;  // none: it stays where it is
  bool down = false;  // it is to be down now, whatever its owner wishes, until it is there
  Millis since = 0;
  std::vector<std::string> why;  // of the choice: lines for people
  bool operator==(const Migration&) const = default;
};

// Present while a host holds room for the instance. The sum over a host's instances, and those on their way there, is its
// HostClaims.
struct InstancePlaced {
  InstanceId id;
  HostId host;
  Resources takes;
  PlacementGroupId group;
  u32 partition = 0;  // that the scheduler chose, from 1; 0: none
  u64 epoch = 0;  // one more with each host that gets it: what is reported under an earlier one is void
  Millis placed_at = 0;
  std::vector<std::string> why;  // lines for people
  Migration migration;
  u64 migrations = 0;  // begun so far. Not none: it has run before, even if its host has no VM of it
  bool operator==(const InstancePlaced&) const = default;
};

// The reason's code of an instance that runs and whose disks wait for room on its host.
inline constexpr const char* kHostDiskFull = "Server.HostDiskFull";

struct InstanceObserved {
  InstanceId id;
  InstanceState state = InstanceState::kPending;
  std::string reason_code;  // EC2's StateReason: "Server.InsufficientInstanceCapacity"
  std::string reason;
  HostId host;  // that reported it
  u64 epoch = 0;  // of the placement it was reported under
  u64 generation = 0;  // of the desired record that it fulfils
  u64 reboots = 0;
  std::string private_address;
  std::string public_address;
  Millis changed_at = 0;
  std::vector<VolumeId> attached_volumes;  // that its VM has, or has when it runs again
  bool operator==(const InstanceObserved&) const = default;
};

}  // namespace pileus::model
