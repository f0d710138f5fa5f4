// The region and its zones.
#include <algorithm>

#include "ec2/filters.h"
#include "ec2/places/handlers.h"

namespace pileus::ec2 {
namespace {

struct Place {
  std::string region;
  std::string zone;  // empty: the region itself
};

constexpr Filter<Place> kRegionFilters[] = {
    {"region-name", [](const Place& place) { return Texts{place.region}; }},
    {"endpoint", [](const Place& place) { return Texts{"ec2." + place.region + ".amazonaws.com"}; }},
    {"opt-in-status", [](const Place&) { return Texts{"opt-in-not-required"}; }},
};
constexpr Filter<Place> kZoneFilters[] = {
    {"region-name", [](const Place& place) { return Texts{place.region}; }},
    {"zone-name", [](const Place& place) { return Texts{place.zone}; }},
    {"zone-id", [](const Place& place) { return Texts{place.zone}; }},
    {"zone-type", [](const Place&) { return Texts{"availability-zone"}; }},
    {"group-name", [](const Place& place) { return Texts{place.region}; }},
    {"state", [](const Place&) { return Texts{"available"}; }},
    {"opt-in-status", [](const Place&) { return Texts{"opt-in-not-required"}; }},
};

}  // namespace

Reply<> describe_regions(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Place>::read(call.parameters, kRegionFilters, nullptr));
  const Place place{call.settings.region, {}};
  for (const std::string& wanted : call.parameters.list("RegionName")) {
    if (wanted != place.region)
      return ApiError("InvalidParameterValue", "Invalid region: '" + wanted.substr(0, 40) + "'");
  }
  pugi::xml_node set = add(answer, "regionInfo");
  if (!filters.pass(place)) return {};
  pugi::xml_node item = add_item(set);
  add(item, "regionName", place.region);
  add(item, "regionEndpoint", "ec2." + place.region + ".amazonaws.com");
  add(item, "optInStatus", "opt-in-not-required");
  return {};
}

Reply<> describe_availability_zones(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<Place>::read(call.parameters, kZoneFilters, nullptr));
  const std::vector<std::string> wanted = call.parameters.list("ZoneName");
  for (const std::string& name : wanted) {
    if (std::ranges::find(call.settings.zones, name) == call.settings.zones.end()) {
      return ApiError("InvalidParameterValue", "Invalid availability zone: [" + name.substr(0, 40) + "]");
    }
  }
  pugi::xml_node set = add(answer, "availabilityZoneInfo");
  for (const std::string& zone : call.settings.zones) {
    if (!wanted.empty() && std::ranges::find(wanted, zone) == wanted.end()) continue;
    if (!filters.pass({call.settings.region, zone})) continue;
    pugi::xml_node item = add_item(set);
    add(item, "zoneName", zone);
    add(item, "zoneState", "available");
    add(item, "regionName", call.settings.region);
    add(item, "zoneId", zone);
    add(item, "groupName", call.settings.region);
    add(item, "networkBorderGroup", call.settings.region);
    add(item, "zoneType", "availability-zone");
    add(item, "optInStatus", "opt-in-not-required");
    add(item, "messageSet");
  }
  return {};
}

}  // namespace pileus::ec2
