#include "ec2/actions.h"

#include <algorithm>
#include <array>

#include "ec2/groups.h"

namespace pileus::ec2 {
namespace {

// In the order of the documentation.
constexpr std::array kGroups = {&kInstanceActions,
                                &kInstanceTypeActions,
                                &kImageActions,
                                &kKeyPairActions,
                                &kSecurityGroupActions,
                                &kNetworkActions,
                                &kRouteActions,
                                &kInterfaceActions,
                                &kAddressActions,
                                &kVolumeActions,
                                &kSnapshotActions,
                                &kTransferActions,
                                &kLaunchTemplateActions,
                                &kPlacementGroupActions,
                                &kTagActions,
                                &kPlaceActions,
                                &kAccountActions,
                                &kOwnActions,
                                &kLiveActions};

struct Declared {
  std::string_view name;  // with N for indices
  char type;
  bool required;
};

template <typename Use>
void for_each_parameter(const Action& action, Use use) {
  std::string_view text = action.parameters;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view each = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = each.find(':');
    if (colon == std::string_view::npos || colon + 1 >= each.size()) continue;
    use(Declared{each.substr(0, colon), each[colon + 1], each.ends_with('!')});
  }
}

// "Filter.N.Value.N" of "Filter.1.Value.2".
std::string with_n(std::string_view name) {
  std::string result;
  while (!name.empty()) {
    const std::size_t end = std::min(name.find('.'), name.size());
    const std::string_view part = name.substr(0, end);
    name.remove_prefix(std::min(end + 1, name.size()));
    const bool number = !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    result.append(result.empty() ? "" : ".").append(number ? "N" : part);
  }
  return result;
}

const char* type_name(char type) {
  switch (type) {
    case 'i': return "whole number";
    case 'b': return "true or false";
    case 'd': return "base64";
    default: return "text";
  }
}

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kReads: return "reads";
    case Kind::kChanges: return "changes";
    case Kind::kAdministrates: break;
  }
  return "for administrators";
}

void describe(const Action& action, std::string& text) {
  text.append("\n### ").append(action.name).append("\n");
  text.append(action.what).append(" (").append(kind_name(action.kind)).append(")\n");
  bool any = false;
  for_each_parameter(action, [&](const Declared& declared) {
    if (!any) text += "\n| parameter | what | |\n|---|---|---|\n";
    any = true;
    text.append("| `").append(declared.name).append("` | ").append(type_name(declared.type)).append(" | ");
    text.append(declared.required ? "required |\n" : "|\n");
  });
}

}  // namespace

std::span<const ActionGroup* const> action_groups() { return kGroups; }

const Action* find_action(std::string_view name) {
  for (const ActionGroup* const group : kGroups) {
    const auto found = std::ranges::find(group->actions, name, &Action::name);
    if (found != group->actions.end()) return &*found;
  }
  return nullptr;
}

bool has_parameter(const Action& action, std::string_view name) {
  const std::string general = with_n(name);
  bool found = false;
  for_each_parameter(action, [&](const Declared& declared) { found |= declared.name == general; });
  return found;
}

Reply<> check_parameters(const Action& action, const Parameters& parameters) {
  Reply<> refused;
  for_each_parameter(action, [&](const Declared& declared) {
    if (!declared.required || !refused.ok()) return;
    const std::size_t list = declared.name.find(".N");
    const bool given = list == std::string_view::npos ? parameters.has(declared.name)
                                                      : !parameters.list(declared.name.substr(0, list)).empty();
    if (!given) {
      refused = ApiError("MissingParameter",
                         "The request must contain the parameter " + std::string(declared.name.substr(0, list)));
    }
  });
  for (const auto& parameter : parameters.all()) {
    const auto& name = parameter.first;  // no structured binding: clang-tidy loses sight of one in a lambda
    const auto& value = parameter.second;
    if (value.empty() || !refused.ok()) continue;
    const std::string general = with_n(name);
    for_each_parameter(action, [&](const Declared& declared) {
      if (declared.name != general || !refused.ok()) return;
      if (declared.type == 'i') {
        if (Reply<i64> number = parse_integer(name, value); !number.ok()) refused = std::move(number).error();
      }
      if (declared.type == 'b') {
        if (Reply<bool> flag = parse_boolean(name, value); !flag.ok()) refused = std::move(flag).error();
      }
    });
  }
  return refused;
}

std::string api_document() {
  std::string text =
      "# The API\n\n"
      "Made from the tables of actions (`src/ec2/*/table.cc`) by `pileus-cloudd --print-api`; a test holds it to be "
      "current.\n\n"
      "The API is EC2's query protocol, version 2016-11-15, with Signature V4 or V2; actions, parameters, answers and "
      "error\n"
      "codes are those of Amazon's reference. Every action takes `DryRun`. `N` in a name stands for an index, from 0 "
      "or 1.\n"
      "All other actions are answered by `UnsupportedOperation`, and what can be no action's name by `InvalidAction`.\n"
      "Actions that begin with `Pileus` are our own, in the same style.\n";
  for (const ActionGroup* const group : kGroups) {
    text.append("\n## ").append(group->title).append("\n");
    for (const Action& action : group->actions) describe(action, text);
  }
  return text;
}

}  // namespace pileus::ec2
