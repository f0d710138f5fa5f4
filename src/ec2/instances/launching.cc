#include "ec2/instances/launching.h"

#include <algorithm>

#include "ec2/interfaces/objects.h"
#include "ec2/internal/once.h"
#include "ec2/networks/objects.h"
#include "ec2/networks/subnet_addresses.h"
#include "ec2/quota.h"

namespace pileus::ec2 {
namespace {

// What appears with each instance: its network interface, and the claim of its address.
model::InterfaceDesired add_interface_of(control::Change& change, const LaunchPlan& plan,
                                         model::InstanceDesired& desired, const std::string& address) {
  model::InterfaceDesired interface = plan.interface;
  interface.instance = desired.id;
  interface.attached_since = desired.launched_at;
  if (interface.id) {
    change.update(model::desired_key(interface.id), interface, plan.interface_revision);
  } else {
    const model::InterfaceDesired fresh = new_interface(plan.subnet, address, {});
    interface.id = fresh.id;
    interface.mac = fresh.mac;
    interface.private_address = address;
    add_interface(change, interface);
  }
  desired.interfaces = {interface.id};
  return interface;
}

// Of all of the launch, once.
void expect_places(control::Change& change, const LaunchPlan& plan) {
  enter_subnet(change, plan.subnet.id);
  const model::PlacementGroupId group = plan.request.prototype.wish.group;
  if (group) change.expect(state::Compare::exists(model::desired_key(group)));
  for (const model::SecurityGroupId id : plan.interface.security_groups) {
    change.expect(state::Compare::exists(model::desired_key(id)));
  }
}

}  // namespace

Reply<std::optional<control::Launched>> earlier_launch(const Call& call) {
  const std::optional<std::string> answer = TRY(earlier_answer(call, control::kLaunchAction));
  if (!answer) return std::optional<control::Launched>();
  return std::optional<control::Launched>(TRY(control::decode_answer(*answer)));
}

Reply<control::Launched> launch(const Call& call, LaunchPlan plan, std::vector<InstanceEntry>& entries) {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    const Allowance allowance = TRY(read_allowance(call, plan.request.prototype.takes, plan.least, plan.most));
    plan.request.count = allowance.count;
    std::vector<std::string> addresses = {plan.interface.private_address};
    if (addresses[0].empty()) addresses = TRY(choose_addresses(call, plan.subnet, allowance.count));
    entries.clear();
    plan.request.prepare = [&](control::Change& change, model::InstanceDesired& desired) -> Result<> {
      if (desired.launch_index == 0) {
        allowance.bind(call, change);
        expect_places(change, plan);
      }
      InstanceEntry& entry = entries.emplace_back();
      entry.interface = add_interface_of(change, plan, desired, addresses.at(desired.launch_index));
      add_volumes(change, plan.disks, desired);
      entry.desired = desired;
      if (plan.beside && entries.size() == plan.request.count) plan.beside(change, entries);
      return {};
    };
    Result<control::Launched> launched = control::launch(call.store, call.clock, plan.request);
    if (launched) return std::move(launched).value();
    switch (launched.error().code()) {
      case ErrorCode::kGone: continue;  // somebody else has taken the address, or the account's turn
      case ErrorCode::kExists: return token_mismatch();
      case ErrorCode::kInvalid: return ApiError("InvalidParameterValue", launched.error().message());
      default: return launched.error();
    }
  }
  return ApiError("Unavailable", "Others are launching at the same time: try again", 503);
}

Reply<> write_launch(const Call& call, pugi::xml_node answer, const control::Launched& launched,
                     std::vector<InstanceEntry> entries) {
  // Of a new launch `entries` are as it was written: a quick host may have them running by now, and clients rely on what
  // EC2 always says here.
  if (launched.repeated) {
    std::vector<std::string> ids;
    for (const model::InstanceId id : launched.instances) ids.push_back(id.text());
    entries = TRY(find_instances(call, ids));
    std::ranges::sort(entries, {}, [](const InstanceEntry& entry) { return entry.desired.launch_index; });
  }
  add(answer, "reservationId", launched.reservation.text());
  add(answer, "ownerId", call.account.id.text());
  add(answer, "groupSet");
  pugi::xml_node set = add(answer, "instancesSet");
  const InterfaceNames names = TRY(interface_names(call));
  for (const InstanceEntry& entry : entries) write_instance(set, call, entry, names);
  return {};
}

}  // namespace pileus::ec2
