#include "ec2/instances/options.h"

#include "ec2/filters.h"
#include "ec2/instances/handlers.h"
#include "ec2/instances/objects.h"

namespace pileus::ec2 {
namespace {

using Entry = InstanceEntry;
constexpr i64 kMostHops = 64;

ApiError invalid(const std::string& name, const std::string& value, const std::string& choices) {
  return {"InvalidParameterValue",
          "Value (" + value.substr(0, 40) + ") for parameter " + name + " is invalid: it is " + choices};
}

// One of two words.
Reply<bool> read_choice(const Parameters& given, const char* name, const char* on, const char* off, bool otherwise) {
  const std::string& text = given.get(name);
  if (text.empty()) return otherwise;
  if (text == on || text == off) return text == on;
  return invalid(name, text, std::string(off) + " or " + on);
}

// Those that the request names, one by one, none of which has ended.
template <typename Act>
Reply<> change_named(Call& call, Act act) {
  const std::vector<std::string> ids = call.parameters.list("InstanceId");
  if (ids.empty()) return ApiError("MissingParameter", "The request must contain the parameter InstanceId");
  for (const Entry& entry : TRY(find_instances(call, ids))) TRY(change_instance(call, entry.desired.id, act));
  return {};
}

Reply<> set_monitoring(Call& call, pugi::xml_node answer, bool on) {
  TRY(change_named(call, [&](model::InstanceDesired& desired) -> Reply<> {
    desired.monitored = on;
    return {};
  }));
  pugi::xml_node set = add(answer, "instancesSet");
  for (const std::string& id : call.parameters.list("InstanceId")) {
    pugi::xml_node item = add_item(set);
    add(item, "instanceId", id);
    add(add(item, "monitoring"), "state", on ? "enabled" : "disabled");
  }
  return {};
}

}  // namespace

Reply<> read_metadata_options(const Parameters& given, model::MetadataOptions& options) {
  options.token_required = TRY(read_choice(given, "HttpTokens", "required", "optional", options.token_required));
  options.enabled = TRY(read_choice(given, "HttpEndpoint", "enabled", "disabled", options.enabled));
  options.tags = TRY(read_choice(given, "InstanceMetadataTags", "enabled", "disabled", options.tags));
  if (TRY(read_choice(given, "HttpProtocolIpv6", "enabled", "disabled", false))) {
    return ApiError("UnsupportedOperation", "The metadata service has no IPv6 address here");
  }
  const i64 hops = TRY(given.integer("HttpPutResponseHopLimit", options.hop_limit));
  if (hops < 1 || hops > kMostHops) return invalid("HttpPutResponseHopLimit", std::to_string(hops), "1 to 64");
  options.hop_limit = static_cast<u32>(hops);
  return {};
}

void write_metadata_options(pugi::xml_node node, const model::MetadataOptions& options, bool applied) {
  add(node, "state", applied ? "applied" : "pending");
  add(node, "httpTokens", options.token_required ? "required" : "optional");
  add_number(node, "httpPutResponseHopLimit", options.hop_limit);
  add(node, "httpEndpoint", options.enabled ? "enabled" : "disabled");
  add(node, "httpProtocolIpv6", "disabled");
  add(node, "instanceMetadataTags", options.tags ? "enabled" : "disabled");
}

Reply<bool> terminates_on_shutdown(const std::string& text) {
  if (text == "stop" || text == "terminate") return text == "terminate";
  return invalid("instanceInitiatedShutdownBehavior", text, "stop or terminate");
}

Reply<std::string> read_credits(const std::string& text) {
  if (text == "standard" || text == "unlimited") return text;
  return invalid("CpuCredits", text, "standard or unlimited");
}

Reply<bool> read_recovery(const std::string& text) {
  if (text == "default" || text == "disabled") return text == "default";
  return invalid("AutoRecovery", text, "default or disabled");
}

Reply<> modify_instance_metadata_options(Call& call, pugi::xml_node answer) {
  const Entry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  if (entry.observed.state == model::InstanceState::kTerminated) {
    return ApiError("IncorrectInstanceState", "The instance '" + entry.desired.id.text() + "' is terminated");
  }
  model::MetadataOptions options;
  const auto change_it = [&](model::InstanceDesired& desired) -> Reply<> {
    TRY(read_metadata_options(call.parameters, desired.metadata));
    options = desired.metadata;
    return {};
  };
  TRY(change_instance(call, entry.desired.id, change_it));
  add(answer, "instanceId", entry.desired.id.text());
  write_metadata_options(add(answer, "instanceMetadataOptions"), options, false);
  return {};
}

Reply<> monitor_instances(Call& call, pugi::xml_node answer) { return set_monitoring(call, answer, true); }
Reply<> unmonitor_instances(Call& call, pugi::xml_node answer) { return set_monitoring(call, answer, false); }

Reply<> modify_instance_maintenance_options(Call& call, pugi::xml_node answer) {
  const Entry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  const std::string& text = call.parameters.get("AutoRecovery");
  if (!text.empty()) {
    const bool recovers = TRY(read_recovery(text));
    TRY(change_instance(call, entry.desired.id, [&](model::InstanceDesired& desired) -> Reply<> {
      desired.recovers = recovers;
      return {};
    }));
  }
  add(answer, "instanceId", entry.desired.id.text());
  add(answer, "autoRecovery", !text.empty() ? text : entry.desired.recovers ? "default" : "disabled");
  return {};
}

Reply<> modify_instance_credit_specification(Call& call, pugi::xml_node answer) {
  pugi::xml_node done = add(answer, "successfulInstanceCreditSpecificationSet");
  pugi::xml_node failed = add(answer, "unsuccessfulInstanceCreditSpecificationSet");
  const std::vector<Parameters> wishes = call.parameters.structures("InstanceCreditSpecification");
  if (wishes.empty()) {
    return ApiError("MissingParameter", "The request must contain the parameter InstanceCreditSpecification");
  }
  for (const Parameters& wish : wishes) {
    const auto attempt = [&]() -> Reply<> {
      const std::string credits = TRY(read_credits(wish.get("CpuCredits")));
      const Entry entry = TRY(find_instance(call, wish.get("InstanceId")));
      return change_instance(call, entry.desired.id, [&](model::InstanceDesired& desired) -> Reply<> {
        desired.cpu_credits = credits;
        return {};
      });
    };
    const Reply<> result = attempt();
    if (!result && result.error().status >= 500) return result;
    pugi::xml_node item = add_item(result.ok() ? done : failed);
    add(item, "instanceId", wish.get("InstanceId"));
    if (result.ok()) continue;
    pugi::xml_node error = add(item, "error");
    add(error, "code", result.error().code);
    add(error, "message", result.error().message);
  }
  return {};
}

// There are no Windows guests that would tell one.
Reply<> get_password_data(Call& call, pugi::xml_node answer) {
  const Entry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  add(answer, "instanceId", entry.desired.id.text());
  add_time(answer, "timestamp", call.clock.now());
  add(answer, "passwordData", "");
  return {};
}

// There are no instance profiles: instances get no credentials of the cloud.
Reply<> describe_iam_instance_profile_associations(Call& call, pugi::xml_node answer) {
  struct Association {};
  static constexpr Filter<Association> kFilters[] = {
      {"instance-id", [](const Association&) { return Texts{}; }},
      {"state", [](const Association&) { return Texts{}; }},
  };
  TRY(FilterSet<Association>::read(call.parameters, kFilters, nullptr));
  TRY(read_page(call.parameters));
  for (const std::string& id : call.parameters.list("AssociationId")) {
    return ApiError("InvalidAssociationID.NotFound", "The association ID '" + id.substr(0, 60) + "' does not exist");
  }
  add(answer, "iamInstanceProfileAssociationSet");
  return {};
}

}  // namespace pileus::ec2
