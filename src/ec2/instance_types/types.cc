// Instance types: the table that the administrator edits.
#include <algorithm>

#include "ec2/filters.h"
#include "ec2/instance_types/handlers.h"
#include "ec2/instance_types/objects.h"
#include "ec2/pages.h"

namespace pileus::ec2 {
namespace {

constexpr Filter<model::InstanceType> kFilters[] = {
    {"instance-type", [](const model::InstanceType& type) { return Texts{type.name}; }},
    {"vcpu-info.default-vcpus",
     [](const model::InstanceType& type) { return Texts{std::to_string(type.takes.vcpus)}; }},
    {"memory-info.size-in-mib",
     [](const model::InstanceType& type) { return Texts{std::to_string(type.takes.memory_mib)}; }},
    {"current-generation", [](const model::InstanceType&) { return flag(true); }},
    {"bare-metal", [](const model::InstanceType&) { return flag(false); }},
    {"processor-info.supported-architecture", [](const model::InstanceType&) { return Texts{"x86_64"}; }},
    {"supported-virtualization-type", [](const model::InstanceType&) { return Texts{"hvm"}; }},
    {"supported-root-device-type", [](const model::InstanceType&) { return Texts{"ebs"}; }},
    {"burstable-performance-supported", [](const model::InstanceType&) { return flag(false); }},
};

struct Offering {
  std::string type;
  std::string location;
};
constexpr Filter<Offering> kOfferingFilters[] = {
    {"instance-type", [](const Offering& offering) { return Texts{offering.type}; }},
    {"location", [](const Offering& offering) { return Texts{offering.location}; }},
};

void write_type(pugi::xml_node set, const model::InstanceType& type) {
  pugi::xml_node item = add_item(set);
  add(item, "instanceType", type.name);
  add_flag(item, "currentGeneration", true);
  add_flag(item, "freeTierEligible", false);
  add(add(item, "supportedUsageClasses"), "item", "on-demand");
  add(add(item, "supportedRootDeviceTypes"), "item", "ebs");
  add(add(item, "supportedVirtualizationTypes"), "item", "hvm");
  add_flag(item, "bareMetal", false);
  add(item, "hypervisor", "pileus");
  pugi::xml_node processor = add(item, "processorInfo");
  add(add(processor, "supportedArchitectures"), "item", "x86_64");
  pugi::xml_node vcpus = add(item, "vCpuInfo");
  add_number(vcpus, "defaultVCpus", type.takes.vcpus);
  add_number(vcpus, "defaultCores", type.takes.vcpus);
  add_number(vcpus, "defaultThreadsPerCore", 1);
  add_number(add(item, "memoryInfo"), "sizeInMiB", static_cast<i64>(type.takes.memory_mib));
  add_flag(item, "instanceStorageSupported", false);
  pugi::xml_node ebs = add(item, "ebsInfo");
  add(ebs, "ebsOptimizedSupport", "unsupported");
  add(ebs, "encryptionSupport", "unsupported");
  add(ebs, "nvmeSupport", "unsupported");
  pugi::xml_node network = add(item, "networkInfo");
  add_number(network, "maximumNetworkInterfaces", 1);
  add_number(network, "ipv4AddressesPerInterface", 1);
  add_flag(network, "ipv6Supported", false);
  add(network, "enaSupport", "unsupported");
  add_flag(item, "burstablePerformanceSupported", false);
  add_flag(item, "dedicatedHostsSupported", false);
  add_flag(item, "autoRecoverySupported", false);
  add(add(item, "supportedBootModes"), "item", "legacy-bios");
}

}  // namespace

Reply<std::vector<model::InstanceType>> instance_types(const Call& call) {
  const state::Snapshot all =
      TRY(call.store.get(state::Get{state::KeyRange::prefix(std::string(model::kTypesPrefix))}));
  std::vector<model::InstanceType> types;
  for (const state::KeyValue& entry : all.entries) {
    types.push_back(TRY(model::decode<model::InstanceType>(entry.value).with(entry.key)));
  }
  return types;
}

Reply<model::InstanceType> offered_type(const Call& call, const std::string& name) {
  const auto type = TRY(control::read<model::InstanceType>(call.store, model::type_key(name)));
  if (type.exists() && type.value.offered) return type.value;
  return ApiError("InvalidParameterValue", "Invalid value '" + name.substr(0, 60) +
                                               "' for InstanceType: DescribeInstanceTypes lists those there are");
}

Reply<> describe_instance_types(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<model::InstanceType>::read(call.parameters, kFilters, nullptr));
  const Page page = TRY(read_page(call.parameters));
  std::vector<std::string> wanted = call.parameters.list("InstanceType");
  const bool all = wanted.empty();
  std::vector<model::InstanceType> found;
  for (const model::InstanceType& type : TRY(instance_types(call))) {
    if (all ? type.offered : std::erase(wanted, type.name) != 0) found.push_back(type);
  }
  if (!wanted.empty()) {
    return ApiError("InvalidInstanceType",
                    "The following supplied instance types do not exist: [" + wanted[0].substr(0, 60) + "]");
  }
  std::erase_if(found, [&](const model::InstanceType& type) { return !filters.pass(type); });
  pugi::xml_node set = add(answer, "instanceTypeSet");
  write_page(
      page, found, answer, [](const model::InstanceType& type) { return type.name; },
      [&](const model::InstanceType& type) { write_type(set, type); });
  return {};
}

Reply<> describe_instance_type_offerings(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Offering>::read(call.parameters, kOfferingFilters, nullptr));
  const Page page = TRY(read_page(call.parameters));
  const std::string& kind = call.parameters.get("LocationType");
  if (!kind.empty() && kind != "region" && kind != "availability-zone" && kind != "availability-zone-id") {
    return ApiError("InvalidParameterValue", "Invalid LocationType '" + kind.substr(0, 40) + "'");
  }
  const bool by_zone = kind.starts_with("availability-zone");
  std::vector<Offering> offerings;
  for (const model::InstanceType& type : TRY(instance_types(call))) {
    if (!type.offered) continue;
    if (!by_zone) offerings.push_back({type.name, call.settings.region});
    for (const std::string& zone : call.settings.zones) {
      if (by_zone) offerings.push_back({type.name, zone});
    }
  }
  std::erase_if(offerings, [&](const Offering& offering) { return !filters.pass(offering); });
  pugi::xml_node set = add(answer, "instanceTypeOfferingSet");
  write_page(
      page, offerings, answer, [](const Offering& offering) { return offering.type + " " + offering.location; },
      [&](const Offering& offering) {
        pugi::xml_node item = add_item(set);
        add(item, "instanceType", offering.type);
        add(item, "locationType", kind.empty() ? "region" : kind);
        add(item, "location", offering.location);
      });
  return {};
}

}  // namespace pileus::ec2
