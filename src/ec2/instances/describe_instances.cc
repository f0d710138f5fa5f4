// What is shown of instances.
#include <algorithm>

#include "ec2/filters.h"
#include "ec2/instances/handlers.h"
#include "ec2/instances/objects.h"
#include "ec2/instances/options.h"
#include "ec2/interfaces/objects.h"
#include "ec2/pages.h"
#include "model/volume.h"

namespace pileus::ec2 {
namespace {

using Entry = InstanceEntry;
const model::Tags& tags_of(const Entry& entry) { return entry.desired.tags; }

std::string private_address(const Entry& entry) {
  return entry.observed.private_address.empty() ? entry.interface.private_address : entry.observed.private_address;
}
std::string dns_name(const Entry& entry) { return private_dns_name(private_address(entry)); }
// As the host that has it says; until it has followed, the elastic address that it is going to have.
std::string public_address(const Entry& entry) {
  if (entry.observed.state != model::InstanceState::kRunning) return entry.interface.elastic_address;
  const std::string& elastic = entry.interface.elastic_address;
  return elastic.empty() || entry.observed.public_address.starts_with(elastic) ? entry.observed.public_address
                                                                               : elastic;
}
Texts group_ids(const Entry& entry) {
  Texts ids;
  for (const model::SecurityGroupId id : entry.desired.security_groups) ids.push_back(id.text());
  return ids;
}
Texts of_disks(const Entry& entry, std::string (*of)(const model::DiskWish&)) {
  Texts texts;
  for (const model::DiskWish& disk : entry.desired.disks) texts.push_back(of(disk));
  return texts;
}

constexpr Filter<Entry> kFilters[] = {
    {"instance-id", [](const Entry& entry) { return Texts{entry.desired.id.text()}; }},
    {"instance-state-name", [](const Entry& entry) { return Texts{std::string(model::name(entry.observed.state))}; }},
    {"instance-state-code",
     [](const Entry& entry) { return Texts{std::to_string(model::state_code(entry.observed.state))}; }},
    {"instance-type", [](const Entry& entry) { return Texts{entry.desired.type}; }},
    {"image-id", [](const Entry& entry) { return Texts{entry.desired.image.text()}; }},
    {"key-name", [](const Entry& entry) { return Texts{entry.desired.key_name}; }},
    {"availability-zone", [](const Entry& entry) { return Texts{entry.desired.wish.zone}; }},
    {"subnet-id", [](const Entry& entry) { return Texts{entry.desired.subnet.text()}; }},
    {"network-interface.subnet-id", [](const Entry& entry) { return Texts{entry.desired.subnet.text()}; }},
    {"network-interface.network-interface-id", [](const Entry& entry) { return Texts{entry.interface.id.text()}; }},
    {"private-ip-address", [](const Entry& entry) { return Texts{private_address(entry)}; }},
    {"ip-address", [](const Entry& entry) { return Texts{public_address(entry)}; }},
    {"dns-name", [](const Entry& entry) { return Texts{public_address(entry)}; }},
    {"network-interface.addresses.association.public-ip",
     [](const Entry& entry) { return Texts{entry.interface.elastic_address}; }},
    {"network-interface.addresses.private-ip-address",
     [](const Entry& entry) { return Texts{private_address(entry)}; }},
    {"private-dns-name", [](const Entry& entry) { return Texts{dns_name(entry)}; }},
    {"reservation-id", [](const Entry& entry) { return Texts{entry.desired.reservation.text()}; }},
    {"client-token", [](const Entry& entry) { return Texts{entry.desired.client_token}; }},
    {"owner-id", [](const Entry& entry) { return Texts{entry.desired.account.text()}; }},
    {"launch-index", [](const Entry& entry) { return Texts{std::to_string(entry.desired.launch_index)}; }},
    {"launch-time", [](const Entry& entry) { return Texts{format_time(entry.desired.launched_at)}; }},
    {"instance.group-id", group_ids},
    {"group-id", group_ids},
    {"network-interface.group-id", group_ids},
    {"block-device-mapping.volume-id",
     [](const Entry& entry) {
       return of_disks(entry, [](const model::DiskWish& disk) { return disk.volume.text(); });
     }},
    {"block-device-mapping.device-name",
     [](const Entry& entry) { return of_disks(entry, [](const model::DiskWish& disk) { return disk.device; }); }},
    {"block-device-mapping.delete-on-termination",
     [](const Entry& entry) {
       return of_disks(entry, [](const model::DiskWish& disk) { return flag(disk.delete_on_termination)[0]; });
     }},
    {"root-device-name",
     [](const Entry& entry) {
       return Texts{entry.desired.disks.empty() ? std::string() : entry.desired.disks[0].device};
     }},
    {"state-reason-code", [](const Entry& entry) { return Texts{entry.observed.reason_code}; }},
    {"source-dest-check", [](const Entry& entry) { return flag(entry.interface.source_dest_check); }},
    {"architecture", [](const Entry&) { return Texts{"x86_64"}; }},
    {"virtualization-type", [](const Entry&) { return Texts{"hvm"}; }},
    {"root-device-type", [](const Entry&) { return Texts{"ebs"}; }},
    {"hypervisor", [](const Entry&) { return Texts{"pileus"}; }},
    {"tenancy", [](const Entry&) { return Texts{"default"}; }},
    {"monitoring-state", [](const Entry& entry) { return Texts{entry.desired.monitored ? "enabled" : "disabled"}; }},
    {"metadata-options.http-tokens",
     [](const Entry& entry) { return Texts{entry.desired.metadata.token_required ? "required" : "optional"}; }},
    {"metadata-options.http-endpoint",
     [](const Entry& entry) { return Texts{entry.desired.metadata.enabled ? "enabled" : "disabled"}; }},
    {"platform", [](const Entry&) { return Texts{}; }},
};

// A wish that was accepted shows at once, before its host has acted on it.
model::InstanceState shown_state(const model::InstanceDesired& desired, model::InstanceState observed) {
  using enum model::InstanceState;
  if (observed == kTerminated || observed == kShuttingDown) return observed;
  if (desired.power == model::Power::kTerminated) return kShuttingDown;
  if (desired.power == model::Power::kStopped && observed != kStopped) return kStopping;
  if (desired.power == model::Power::kRunning && observed == kStopped) return kPending;
  return observed;
}

Entry entry_of(const control::View& view, const control::InstanceView& instance) {
  Entry entry;
  entry.desired = instance.desired.value;
  entry.placed = instance.placed.value;
  entry.observed = instance.observed.value;
  entry.observed.state = shown_state(entry.desired, entry.observed.state);
  if (entry.desired.interfaces.empty()) return entry;
  const model::InterfaceDesired* interface = view.find(entry.desired.interfaces[0]);
  if (interface != nullptr) entry.interface = *interface;
  return entry;
}

// An instance comes with the volumes that it was launched with; of others its host tells.
std::string_view disk_status(const Entry& entry, const model::DiskWish& disk) {
  const auto& has = entry.observed.attached_volumes;
  const bool is = disk.attached_at == 0 || std::ranges::find(has, disk.volume) != has.end();
  return model::name(model::attachment_state(true, is));
}

void write_disks(pugi::xml_node item, const Entry& entry) {
  pugi::xml_node set = add(item, "blockDeviceMapping");
  for (const model::DiskWish& disk : entry.desired.disks) {
    pugi::xml_node device = add_item(set);
    add(device, "deviceName", disk.device);
    pugi::xml_node ebs = add(device, "ebs");
    add(ebs, "volumeId", disk.volume.text());
    add(ebs, "status", disk_status(entry, disk));
    add_time(ebs, "attachTime", disk.attached_at == 0 ? entry.desired.launched_at : disk.attached_at);
    add_flag(ebs, "deleteOnTermination", disk.delete_on_termination);
  }
}

Reply<std::vector<Entry>> read_by_id(const Call& call, const std::vector<std::string>& texts) {
  std::map<model::InstanceId, std::string> ids;
  for (const std::string& text : texts) ids.emplace(TRY(parse_id<model::InstanceId>(text, "InstanceID")), text);
  std::vector<Entry> entries;
  std::string missing;
  TRY(call.catalogue.read([&](const control::View& view) {
    for (const auto& [id, text] : ids) {
      const control::InstanceView* instance = view.find(id);
      const bool theirs = instance != nullptr && instance->desired.value.account == call.account.id;
      if (theirs) entries.push_back(entry_of(view, *instance));
      else if (missing.empty()) missing = text;
    }
  }));
  if (missing.empty()) return entries;
  return ApiError("InvalidInstanceID.NotFound", "The instance ID '" + missing + "' does not exist");
}

}  // namespace

Reply<std::vector<InstanceEntry>> find_instances(const Call& call, const std::vector<std::string>& ids,
                                                 const Page& page) {
  if (!ids.empty()) return read_by_id(call, ids);
  std::vector<Entry> entries;
  const Result<model::InstanceId> after = model::InstanceId::parse(page.after);
  TRY(call.catalogue.read([&](const control::View& view) {
    const auto& all = view.of_account(call.account.id);
    for (auto at = after ? all.upper_bound(*after) : all.begin(); at != all.end(); ++at) {
      // One more than fit tells that there are more.
      if (page.limit != 0 && entries.size() > page.limit) return;
      entries.push_back(entry_of(view, *view.find(*at)));
    }
  }));
  return entries;
}

Reply<InstanceEntry> find_instance(const Call& call, const std::string& id) {
  return TRY(find_instances(call, {id})).at(0);
}

void write_state(pugi::xml_node parent, const char* element, model::InstanceState state) {
  pugi::xml_node node = add(parent, element);
  add_number(node, "code", model::state_code(state));
  add(node, "name", model::name(state));
}

void write_instance(pugi::xml_node set, const Call& call, const InstanceEntry& entry, const InterfaceNames& names) {
  const model::InstanceDesired& desired = entry.desired;
  const bool gone = entry.observed.state == model::InstanceState::kTerminated;
  pugi::xml_node item = add_item(set);
  add(item, "instanceId", desired.id.text());
  add(item, "imageId", desired.image.text());
  write_state(item, "instanceState", entry.observed.state);
  add(item, "privateDnsName", gone ? std::string() : dns_name(entry));
  add(item, "dnsName", gone ? std::string() : public_address(entry));
  add(item, "reason", entry.observed.reason);
  add_if(item, "keyName", desired.key_name);
  add_number(item, "amiLaunchIndex", desired.launch_index);
  add(item, "productCodes");
  add(item, "instanceType", desired.type);
  add_time(item, "launchTime", desired.launched_at);
  pugi::xml_node placement = add(item, "placement");
  add(placement, "availabilityZone", desired.wish.zone);
  const auto group = names.placement_groups.find(desired.wish.group);
  add(placement, "groupName", group == names.placement_groups.end() ? std::string() : group->second);
  add_if(placement, "groupId", desired.wish.group.text());
  if (entry.placed.partition != 0) add_number(placement, "partitionNumber", entry.placed.partition);
  add(placement, "tenancy", "default");
  add_if(placement, "hostId", call.account.administrator ? entry.placed.host.text() : std::string());
  add(add(item, "monitoring"), "state", desired.monitored ? "enabled" : "disabled");
  if (!gone) {
    add(item, "subnetId", desired.subnet.text());
    add(item, "vpcId", names.vpc_of(desired.subnet));
    add(item, "privateIpAddress", private_address(entry));
    add_if(item, "ipAddress", public_address(entry));
    add_flag(item, "sourceDestCheck", entry.interface.source_dest_check);
    write_groups(item, entry.desired.security_groups, names.groups);
  } else {
    add(item, "groupSet");
  }
  if (!entry.observed.reason_code.empty() || !entry.observed.reason.empty()) {
    pugi::xml_node reason = add(item, "stateReason");
    const std::string& code = entry.observed.reason_code;
    add(reason, "code", code.empty() ? std::string(model::name(entry.observed.state)) : code);  // as EC2's "pending"
    add(reason, "message", entry.observed.reason);
  }
  add(item, "architecture", "x86_64");
  add(item, "rootDeviceType", "ebs");
  add(item, "rootDeviceName", desired.disks.empty() ? std::string("/dev/xvda") : desired.disks[0].device);
  if (!gone) write_disks(item, entry);
  else add(item, "blockDeviceMapping");
  add(item, "virtualizationType", "hvm");
  add(item, "clientToken", desired.client_token);
  add_tags(item, desired.tags);
  add(item, "hypervisor", "pileus");
  pugi::xml_node interfaces = add(item, "networkInterfaceSet");
  if (!gone && entry.interface.id) write_interface(add_item(interfaces), entry.interface, names, public_address(entry));
  add_flag(item, "ebsOptimized", false);
  add_flag(item, "enaSupport", false);
  pugi::xml_node cpu = add(item, "cpuOptions");
  add_number(cpu, "coreCount", desired.takes.vcpus);
  add_number(cpu, "threadsPerCore", 1);
  add(add(item, "capacityReservationSpecification"), "capacityReservationPreference", "open");
  add_flag(add(item, "hibernationOptions"), "configured", false);
  add_flag(add(item, "enclaveOptions"), "enabled", false);
  const bool applied = entry.observed.generation >= desired.generation || gone;
  write_metadata_options(add(item, "metadataOptions"), desired.metadata, applied);
  add(add(item, "maintenanceOptions"), "autoRecovery", desired.recovers ? "default" : "disabled");
  pugi::xml_node dns = add(item, "privateDnsNameOptions");
  add(dns, "hostnameType", "ip-name");
  add_flag(dns, "enableResourceNameDnsARecord", false);
  add_flag(dns, "enableResourceNameDnsAAAARecord", false);
}

Reply<> describe_instances(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, tags_of));
  const Page page = TRY(read_page(call.parameters));
  const std::vector<std::string> ids = call.parameters.list("InstanceId");
  if (!ids.empty() && page.limit != 0) {
    return ApiError("InvalidParameterCombination",
                    "The parameter maxResults cannot be used with the parameter instancesSet");
  }
  // Filters look at all of them, for what they leave is to fill the page.
  std::vector<Entry> entries = TRY(find_instances(call, ids, filters.empty() ? page : Page()));
  std::erase_if(entries, [&](const Entry& entry) { return !filters.pass(entry); });
  const InterfaceNames names = TRY(interface_names(call));
  pugi::xml_node set = add(answer, "reservationSet");
  std::map<model::ReservationId, pugi::xml_node> reservations;
  write_page(
      page, entries, answer, [](const Entry& entry) { return entry.desired.id.text(); },
      [&](const Entry& entry) {
        pugi::xml_node& instances = reservations[entry.desired.reservation];
        if (!instances) {
          pugi::xml_node item = add_item(set);
          add(item, "reservationId", entry.desired.reservation.text());
          add(item, "ownerId", entry.desired.account.text());
          add(item, "groupSet");
          instances = add(item, "instancesSet");
        }
        write_instance(instances, call, entry, names);
      });
  return {};
}

Reply<> describe_instance_status(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Entry>::read(call.parameters, kFilters, nullptr));
  const Page page = TRY(read_page(call.parameters));
  const bool all = TRY(call.parameters.boolean("IncludeAllInstances", false));
  std::vector<Entry> entries = TRY(find_instances(call, call.parameters.list("InstanceId")));
  std::erase_if(entries, [&](const Entry& entry) {
    const bool running = entry.observed.state == model::InstanceState::kRunning;
    return (!all && !running) || !filters.pass(entry);
  });
  pugi::xml_node set = add(answer, "instanceStatusSet");
  write_page(
      page, entries, answer, [](const Entry& entry) { return entry.desired.id.text(); },
      [&](const Entry& entry) {
        const bool running = entry.observed.state == model::InstanceState::kRunning;
        pugi::xml_node item = add_item(set);
        add(item, "instanceId", entry.desired.id.text());
        add(item, "availabilityZone", entry.desired.wish.zone);
        write_state(item, "instanceState", entry.observed.state);
        const bool is_impaired = running && entry.observed.reason_code == model::kHostDiskFull;
        for (const std::string_view kind : {"systemStatus", "instanceStatus"}) {
          pugi::xml_node status = add(item, std::string(kind).c_str());
          const bool here = is_impaired && kind == "systemStatus";  // the host's fault
          add(status, "status", here ? "impaired" : running ? "ok" : "not-applicable");
          add(status, "details");
        }
      });
  return {};
}

}  // namespace pileus::ec2
