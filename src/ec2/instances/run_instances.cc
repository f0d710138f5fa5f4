// RunInstances: everything is checked, then desired instances with their interfaces and addresses appear together.
#include <algorithm>
#include <set>

#include "control/launch.h"
#include "ec2/images/objects.h"
#include "ec2/instance_types/objects.h"
#include "ec2/instances/handlers.h"
#include "ec2/instances/objects.h"
#include "ec2/instances/quota.h"
#include "ec2/internal/digest.h"
#include "ec2/key_pairs/objects.h"
#include "ec2/networks/objects.h"
#include "ec2/security_groups/objects.h"
#include "ec2/tags/objects.h"
#include "http/uri.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kUsualType = "t3.micro";
constexpr std::size_t kMaxUserData = 16 * kKiB;
constexpr u64 kMaxDisk = 16 * kKiB;  // GiB, EC2's limit of a volume
constexpr u32 kFirstAddress = 4;     // of a subnet: those before belong to the network itself

// Addresses of a subnet, as numbers.
struct Addresses {
  u32 network = 0;
  u32 size = 0;
  std::set<u32> taken;
};

std::string address_text(u32 address) {
  return std::to_string(address >> 24U) + "." + std::to_string(address >> 16U & 255U) + "." +
         std::to_string(address >> 8U & 255U) + "." + std::to_string(address & 255U);
}

std::optional<u32> parse_address(const std::string& text) {
  u32 address = 0;
  std::size_t at = 0;
  for (int i = 0; i < 4; ++i) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
    if (end == at || end - at > 3) return {};
    const int part = std::stoi(text.substr(at, end - at));
    if (part > 255 || (i < 3 && (end == text.size() || text[end] != '.')) || (i == 3 && end != text.size())) return {};
    address = address << 8U | static_cast<u32>(part);
    at = end + 1;
  }
  return address;
}

// With nothing taken.
Addresses addresses_of(const model::SubnetDesired& subnet) {
  Addresses result;
  const std::size_t slash = subnet.cidr.find('/');
  result.network = parse_address(subnet.cidr.substr(0, slash)).value_or(0);
  result.size = 1U << (32U - static_cast<u32>(std::stoi(subnet.cidr.substr(slash + 1))));
  return result;
}

Reply<Addresses> read_addresses(const Call& call, const model::SubnetDesired& subnet) {
  Addresses result = addresses_of(subnet);
  const std::string prefix = model::subnet_addresses_prefix(subnet.id);
  state::Get get{state::KeyRange::prefix(prefix)};
  get.keys_only = true;
  for (const state::KeyValue& entry : TRY(call.store.get(get)).entries) {
    if (const auto address = parse_address(entry.key.substr(prefix.size()))) result.taken.insert(*address);
  }
  return result;
}

// One that is free and not among `addresses.taken` already, found by trying a few; it counts as taken from then on.
Reply<std::optional<u32>> try_address(const Call& call, const model::SubnetId& subnet, Addresses& addresses) {
  constexpr int kTries = 16;
  const u32 count = addresses.size - kFirstAddress - 1;
  for (int i = 0; i < kTries; ++i) {
    const u32 address = addresses.network + kFirstAddress + static_cast<u32>(model::random_id() % count);
    if (addresses.taken.contains(address)) continue;
    if (TRY(call.store.get(model::subnet_address_key(subnet, address_text(address))))) continue;
    addresses.taken.insert(address);
    return std::optional(address);
  }
  return std::optional<u32>();
}

// A free one of those that are all known; it counts as taken from then on.
std::optional<u32> take_address(Addresses& addresses, u64 random) {
  const u32 count = addresses.size - kFirstAddress - 1;
  for (u32 i = 0; i < count; ++i) {
    const u32 address = addresses.network + kFirstAddress + static_cast<u32>((random + i) % count);
    if (addresses.taken.insert(address).second) return address;
  }
  return {};
}

std::string mac_of(u64 random) {
  std::string mac = "02";  // locally administered
  for (int i = 0; i < 5; ++i) {
    const char byte = static_cast<char>(random >> (8 * i) & 0xFFU);
    mac += ":" + hex(std::string_view(&byte, 1));
  }
  return mac;
}

Reply<model::SubnetDesired> choose_subnet(const Call& call, const Parameters& interface) {
  TRY(default_network(call));
  const std::string& asked = interface.has("SubnetId") ? interface.get("SubnetId") : call.parameters.get("SubnetId");
  const std::string& zone = call.parameters.get("Placement.AvailabilityZone");
  const auto subnets = TRY(call.records<model::SubnetDesired>(model::IdKind::kSubnet));
  if (!asked.empty()) {
    const auto id = TRY(parse_id<model::SubnetId>(asked, "SubnetID"));
    const auto found = std::ranges::find(subnets, id, &model::SubnetDesired::id);
    if (found == subnets.end()) {
      return ApiError("InvalidSubnetID.NotFound", "The subnet ID '" + asked + "' does not exist");
    }
    if (!zone.empty() && zone != found->zone) {
      return ApiError("InvalidParameterCombination", "The subnet '" + asked + "' is in zone " + found->zone);
    }
    return *found;
  }
  const auto in_zone = std::ranges::find_if(subnets, [&](const model::SubnetDesired& subnet) {
    return subnet.default_for_zone && subnet.zone == (zone.empty() ? call.settings.zones.front() : zone);
  });
  if (in_zone == subnets.end()) {
    return ApiError("InvalidParameterValue", "Invalid availability zone: [" + zone.substr(0, 40) + "]");
  }
  return *in_zone;
}

Reply<std::vector<model::SecurityGroupId>> choose_groups(const Call& call, const Parameters& interface) {
  std::vector<std::string> ids = interface.list("SecurityGroupId");
  for (const std::string& id : call.parameters.list("SecurityGroupId")) ids.push_back(id);
  std::vector<model::SecurityGroupId> groups;
  for (const std::string& id : ids) groups.push_back(TRY(find_group(call, id, "")).value.id);
  for (const std::string& name : call.parameters.list("SecurityGroup")) {
    groups.push_back(TRY(find_group(call, "", name)).value.id);
  }
  if (groups.empty()) groups.push_back(TRY(default_network(call)).group);
  return groups;
}

// The disk that the instance begins with; only the root's can be asked for.
Reply<u64> root_size(const Call& call, const Image& image, u64 usual) {
  u64 size = std::max(usual, image.observed.size_gib);
  for (const Parameters& device : call.parameters.structures("BlockDeviceMapping")) {
    const std::string& name = device.get("DeviceName");
    if (name != image.desired.root_device) {
      return ApiError("UnsupportedOperation", "Only the root device, " + image.desired.root_device +
                                                  ", can be mapped; not " + name.substr(0, 40));
    }
    const i64 asked = TRY(device.integer("Ebs.VolumeSize", static_cast<i64>(size)));
    if (asked < static_cast<i64>(image.observed.size_gib) || asked > static_cast<i64>(kMaxDisk)) {
      return ApiError("InvalidBlockDeviceMapping", "Volume of size " + std::to_string(asked) +
                                                       "GB is smaller than image '" + image.desired.id.text() +
                                                       "', expect size>= " + std::to_string(image.observed.size_gib) +
                                                       "GB");
    }
    size = static_cast<u64>(asked);
  }
  return size;
}

// What tells two requests with the same token apart.
std::string request_digest(const Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters.all()) {
    const bool of_signature = name.starts_with("X-Amz-") || name == "Signature" || name == "Timestamp" ||
                              name == "Expires" || name == "AWSAccessKeyId" || name.starts_with("Signature");
    if (!of_signature && name != "ClientToken") text += http::encode_uri(name) + "=" + http::encode_uri(value) + "&";
  }
  return hex(sha256(text));
}

struct Plan {
  control::LaunchRequest request;
  u32 least = 1;
  u32 most = 1;
  model::SubnetDesired subnet;
};

Reply<Plan> make_plan(const Call& call) {
  const Parameters& parameters = call.parameters;
  const i64 least = TRY(parameters.integer("MinCount", 1));
  const i64 most = TRY(parameters.integer("MaxCount", 1));
  if (least < 1 || most < least) {
    return ApiError("InvalidParameterValue", "MinCount is at least 1, and MaxCount not less than MinCount");
  }
  if (least > control::kMaxLaunch) {
    return ApiError("InvalidParameterValue", "One request launches at most " + std::to_string(control::kMaxLaunch) +
                                                 " instances: ask several times for more");
  }
  Plan plan;
  plan.least = static_cast<u32>(least);
  plan.most = static_cast<u32>(std::min<i64>(most, control::kMaxLaunch));
  model::InstanceDesired& desired = plan.request.prototype;
  desired.account = call.account.id;
  desired.client_token = parameters.get("ClientToken");
  plan.request.parameters = request_digest(parameters);

  const Image image = TRY(launchable_image(call, parameters.get("ImageId")));
  desired.image = image.desired.id;
  desired.type = parameters.has("InstanceType") ? parameters.get("InstanceType") : std::string(kUsualType);
  desired.takes = TRY(offered_type(call, desired.type)).takes;
  desired.takes.disk_gib = TRY(root_size(call, image, desired.takes.disk_gib));
  model::DiskWish root;
  root.device = image.desired.root_device;
  root.size_gib = desired.takes.disk_gib;
  desired.disks = {root};
  if (parameters.has("KeyName")) desired.key_name = TRY(find_key_pair(call, parameters.get("KeyName"))).name;

  const std::vector<Parameters> interfaces = parameters.structures("NetworkInterface");
  if (interfaces.size() > 1) return ApiError("UnsupportedOperation", "An instance has one network interface");
  const Parameters interface = interfaces.empty() ? Parameters() : interfaces[0];
  plan.subnet = TRY(choose_subnet(call, interface));
  desired.subnet = plan.subnet.id;
  desired.wish.zone = plan.subnet.zone;
  desired.security_groups = TRY(choose_groups(call, interface));
  if (parameters.has("Placement.HostId")) {
    desired.wish.host = TRY(parse_id<model::HostId>(parameters.get("Placement.HostId"), "HostID"));
  }
  if (TRY(parameters.bytes("UserData")).size() > kMaxUserData) {
    return ApiError("InvalidParameterValue", "User data is limited to 16384 bytes");
  }
  desired.user_data = parameters.get("UserData");
  desired.termination_protected = TRY(parameters.boolean("DisableApiTermination", false));
  desired.tags = TRY(tags_for(parameters, "instance"));
  return plan;
}

// Addresses of a subnet, for as many instances as one request launches.
Reply<std::vector<u32>> free_addresses(const Call& call, const model::SubnetDesired& subnet, u32 count) {
  Addresses addresses = addresses_of(subnet);
  std::vector<u32> found;
  while (found.size() < count) {
    const std::optional<u32> address = TRY(try_address(call, subnet.id, addresses));
    if (!address) break;
    found.push_back(*address);
  }
  if (found.size() == count) return found;
  // The subnet is rather full: all that are taken tell what is left.
  addresses = TRY(read_addresses(call, subnet));
  addresses.taken.insert(found.begin(), found.end());
  while (found.size() < count) {
    const std::optional<u32> address = take_address(addresses, model::random_id());
    if (!address) {
      return ApiError("InsufficientFreeAddressesInSubnet",
                      "There are not enough free addresses in subnet '" + subnet.id.text() + "'");
    }
    found.push_back(*address);
  }
  return found;
}

// What appears with each instance: its network interface, and the claim of its address.
model::InterfaceDesired add_interface(control::Change& change, model::InstanceDesired& desired, u32 address) {
  model::InterfaceDesired interface;
  interface.id = model::InterfaceId::random();
  interface.account = desired.account;
  interface.subnet = desired.subnet;
  interface.mac = mac_of(model::random_id());
  interface.private_address = address_text(address);
  interface.security_groups = desired.security_groups;
  interface.instance = desired.id;
  desired.interfaces = {interface.id};
  desired.disks.at(0).volume = model::VolumeId::random();
  change.update(model::desired_key(interface.id), interface, 0);
  const std::string claim = model::subnet_address_key(desired.subnet, interface.private_address);
  change.expect(state::Compare::absent(claim));
  change.put(claim, interface.id.text());
  return interface;
}

ApiError token_mismatch() { return {"IdempotentParameterMismatch", "The client token was used with other parameters"}; }

// What the request's token was answered before. Asked first: what was free, offered or within the quota then need not be so
// any more, and a repeated request is still to get its answer.
Reply<std::optional<control::Launched>> earlier_launch(const Call& call) {
  const std::string& token = call.parameters.get("ClientToken");
  if (token.empty()) return std::optional<control::Launched>();
  const std::string key = model::token_key(call.account.id, control::kLaunchAction, token);
  const Result<std::optional<std::string>> answer =
      control::earlier_answer(call.store, key, request_digest(call.parameters));
  if (!answer && answer.error().code() == ErrorCode::kExists) return token_mismatch();
  if (!answer) return answer.error();
  if (!*answer) return std::optional<control::Launched>();
  return std::optional<control::Launched>(TRY(control::decode_answer(**answer)));
}

// `entries`: what was launched, for the answer, as it was written.
Reply<control::Launched> launch(const Call& call, Plan plan, std::vector<InstanceEntry>& entries) {
  constexpr int kTries = 20;
  for (int i = 0; i < kTries; ++i) {
    const Allowance allowance = TRY(read_allowance(call, plan.request.prototype.takes, plan.least, plan.most));
    plan.request.count = allowance.count;
    const std::vector<u32> addresses = TRY(free_addresses(call, plan.subnet, allowance.count));
    entries.clear();
    plan.request.prepare = [&](control::Change& change, model::InstanceDesired& desired) -> Result<> {
      if (desired.launch_index == 0) allowance.bind(call, change);
      InstanceEntry& entry = entries.emplace_back();
      entry.interface = add_interface(change, desired, addresses.at(desired.launch_index));
      entry.desired = desired;
      return {};
    };
    Result<control::Launched> launched = control::launch(call.store, call.clock, plan.request);
    if (launched) return std::move(launched).value();
    switch (launched.error().code()) {
      case ErrorCode::kBusy: continue;  // somebody else has taken the address, or the account's turn
      case ErrorCode::kExists: return token_mismatch();
      case ErrorCode::kInvalid: return ApiError("InvalidParameterValue", launched.error().message());
      default: return launched.error();
    }
  }
  return ApiError("Unavailable", "Others are launching at the same time: try again", 503);
}

}  // namespace

Reply<> run_instances(Call& call, pugi::xml_node answer) {
  std::optional<control::Launched> launched = TRY(earlier_launch(call));
  std::vector<InstanceEntry> entries;
  if (!launched) {
    Plan plan = TRY(make_plan(call));
    launched = TRY(launch(call, std::move(plan), entries));
  }
  // Of a new launch `entries` are as it was written: a quick host may have them running by now, and clients rely on what
  // EC2 always says here.
  if (launched->repeated) {
    std::vector<std::string> ids;
    for (const model::InstanceId id : launched->instances) ids.push_back(id.text());
    entries = TRY(find_instances(call, ids));
    std::ranges::sort(entries, {}, [](const InstanceEntry& entry) { return entry.desired.launch_index; });
  }
  add(answer, "reservationId", launched->reservation.text());
  add(answer, "ownerId", call.account.id.text());
  add(answer, "groupSet");
  pugi::xml_node set = add(answer, "instancesSet");
  const auto names = TRY(group_names(call));
  call.vpc_of_answer = TRY(default_network(call)).vpc.text();
  for (const InstanceEntry& entry : entries) write_instance(set, call, entry, names);
  return {};
}

}  // namespace pileus::ec2
