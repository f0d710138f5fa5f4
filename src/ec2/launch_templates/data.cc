#include "ec2/launch_templates/data.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "ec2/actions.h"
#include "ec2/xml.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kData = "LaunchTemplateData";
constexpr std::string_view kTags = "TagSpecification";

std::string_view first_part(std::string_view name) { return name.substr(0, name.find('.')); }

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string element_name(std::string_view part) {
  std::string name(part);
  if (!name.empty() && name[0] >= 'A' && name[0] <= 'Z') name[0] = static_cast<char>(name[0] + 32);
  return name;
}

// How the list of a parameter is shown, and each of its values.
struct ListNames {
  std::string set;
  std::string item = "item";
};
ListNames list_names(std::string_view part, bool in_interface) {
  if (in_interface && part == "SecurityGroupId") return {"groupSet", "groupId"};
  if (part == "PrivateIpAddresses") return {"privateIpAddressesSet"};
  return {element_name(part) + "Set"};
}

void write_below(pugi::xml_node parent, const Parameters& data, bool in_interface);

void write_list(pugi::xml_node parent, std::string_view part, const Parameters& data, bool in_interface) {
  const ListNames names = list_names(part, in_interface);
  pugi::xml_node set = add(parent, names.set.c_str());
  for (const std::string& value : data.list(part)) add(set, names.item.c_str(), value);
  for (const Parameters& each : data.structures(part)) write_below(add_item(set), each, part == "NetworkInterface");
}

void write_below(pugi::xml_node parent, const Parameters& data, bool in_interface) {
  std::set<std::string_view> parts;
  for (const auto& [name, value] : data.all()) parts.insert(first_part(name));
  for (const std::string_view part : parts) {
    const Parameters below = data.below(part);
    if (below.empty()) add(parent, element_name(part).c_str(), data.get(part));
    else if (is_number(first_part(below.all().begin()->first))) write_list(parent, part, data, in_interface);
    else write_below(add(parent, element_name(part).c_str()), below, in_interface);
  }
}

// Lists of structures that go on counting, so that both are kept: tags that come later win.
void append_tags(Parameters& merged, const Parameters& from, std::size_t& next) {
  for (const Parameters& each : from.structures(kTags)) {
    ++next;
    for (const auto& [name, value] : each.all()) {
      merged.set(std::string(kTags) + "." + std::to_string(next) + "." + name, value);
    }
  }
}

bool is_list(const Parameters& parameters, std::string_view part) {
  return !parameters.list(part).empty() || !parameters.structures(part).empty();
}

}  // namespace

Reply<Parameters> read_template_data(const Parameters& request) {
  const Action& launch = *find_action("RunInstances");
  Parameters data;
  const Parameters given = request.below(kData);
  for (const auto& [name, value] : given.all()) {
    const bool of_template = name != "ClientToken" && name != "MinCount" && name != "MaxCount" && name != "DryRun" &&
                             !name.starts_with("LaunchTemplate.");
    if (!value.empty() && of_template && has_parameter(launch, name)) data.set(name, value);
  }
  if (data.empty()) {
    return ApiError("MissingParameter",
                    "The request must contain the parameter LaunchTemplateData, with something in it");
  }
  // With what RunInstances must have and a template need not.
  Parameters whole = data;
  for (const char* name : {"MinCount", "MaxCount"}) whole.set(name, "1");
  TRY(check_parameters(launch, whole));
  return data;
}

Parameters merge_launch(const Parameters& data, const Parameters& request) {
  Parameters merged;
  for (const auto& [name, value] : data.all()) {
    const std::string_view part = first_part(name);
    const bool replaced = is_list(data, part) && is_list(request, part);
    if (part != kTags && !replaced) merged.set(name, value);
  }
  for (const auto& [name, value] : request.all()) {
    if (first_part(name) != kTags && !value.empty()) merged.set(name, value);
  }
  std::size_t next = 0;
  append_tags(merged, data, next);
  append_tags(merged, request, next);
  return merged;
}

void write_template_data(pugi::xml_node parent, const Parameters& data) { write_below(parent, data, false); }

}  // namespace pileus::ec2
