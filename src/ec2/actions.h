// The table of actions: names, parameters, who may call them, what does them. The checking of requests, the generated
// docs/api.md and the list of what is covered come from it. It is made of groups (groups.h).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ec2/call.h"

namespace pileus::ec2 {

enum class Kind { kReads, kChanges, kAdministrates };

struct Action {
  std::string_view name;
  Kind kind;
  // What it takes besides Action, Version and DryRun: "InstanceId.N:s! MaxResults:i". N stands for an index. After the
  // colon s: text, i: whole number, b: true or false, d: base64; '!': must be given.
  std::string_view parameters;
  std::string_view what;  // a sentence
  Reply<> (*act)(Call& call, pugi::xml_node answer);
};

struct ActionGroup {
  std::string_view title;  // its chapter of the documentation
  std::span<const Action> actions;
};

std::span<const ActionGroup* const> action_groups();
const Action* find_action(std::string_view name);

// Whether the action takes a parameter of that name, "Filter.1.Name".
bool has_parameter(const Action& action, std::string_view name);
// MissingParameter, InvalidParameterValue. Parameters that the action does not know are let pass: newer clients send new
// ones.
Reply<> check_parameters(const Action& action, const Parameters& parameters);

// docs/api.md
std::string api_document();

}  // namespace pileus::ec2
