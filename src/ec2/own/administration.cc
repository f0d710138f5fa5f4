// What EC2 has no verb for: hosts, events, explanations, accounts.
#include "ec2/instances/objects.h"
#include "ec2/own/handlers.h"
#include "model/event.h"
#include "model/host.h"

namespace pileus::ec2 {
namespace {

constexpr i64 kMaxQuota = 1'000'000;

Reply<model::HostId> parse_host(const std::string& text) { return parse_id<model::HostId>(text, "HostID"); }

void write_resources(pugi::xml_node parent, const char* name, const model::Resources& resources) {
  pugi::xml_node node = add(parent, name);
  add_number(node, "vcpus", resources.vcpus);
  add_number(node, "memoryMiB", static_cast<i64>(resources.memory_mib));
  add_number(node, "diskGiB", static_cast<i64>(resources.disk_gib));
}

void write_list(pugi::xml_node parent, const char* name, const std::vector<std::string>& texts) {
  pugi::xml_node set = add(parent, name);
  for (const std::string& text : texts) add(set, "item", text);
}

void write_host(pugi::xml_node set, const control::HostView& host) {
  const model::HostDesired& desired = host.desired.value;
  const model::HostObserved& observed = host.observed.value;
  pugi::xml_node item = add_item(set);
  add(item, "hostId", desired.id.text());
  add(item, "name", desired.name);
  add(item, "mode", model::name(desired.mode));
  add(item, "state", host.health.exists() ? model::name(host.health.value.state) : "unknown");
  add(item, "availabilityZone", desired.zone);
  add(item, "rack", desired.rack);
  write_resources(item, "capacity", observed.capacity);
  write_resources(item, "sellable", model::sellable(desired, observed));
  write_resources(item, "claimed", host.claims.value.claimed);
  add_number(item, "instances", host.claims.value.instances);
  write_list(item, "engineSet", observed.engines);
  add(item, "version", observed.version);
  add_time(item, "reportedAt", observed.reported_at);
}

Reply<u64> read_quota(const Call& call, std::string_view name, u64 usual) {
  const i64 quota = TRY(call.parameters.integer(name, static_cast<i64>(usual)));
  if (quota >= 0 && quota <= kMaxQuota) return static_cast<u64>(quota);
  return ApiError("InvalidParameterValue", std::string(name) + " is 0 to " + std::to_string(kMaxQuota));
}

}  // namespace

Reply<> pileus_describe_hosts(Call& call, pugi::xml_node answer) {
  const std::vector<std::string> ids = call.parameters.list("HostId");
  pugi::xml_node set = add(answer, "hostSet");
  std::size_t found = 0;
  TRY(call.catalogue.read([&](const control::View& view) {
    for (const auto& [id, host] : view.hosts()) {
      const std::string text = id.text();
      bool wanted = ids.empty();
      for (const std::string& each : ids) wanted |= each == text;
      if (!host.desired.exists() || !wanted) continue;
      write_host(set, host);
      ++found;
    }
  }));
  if (found >= ids.size()) return {};
  return ApiError("InvalidHostID.NotFound",
                  "One of the hosts does not exist: PileusDescribeHosts without ids lists them");
}

Reply<> pileus_set_host_mode(Call& call, pugi::xml_node answer) {
  const model::HostId id = TRY(parse_host(call.parameters.get("HostId")));
  const std::string& text = call.parameters.get("Mode");
  if (text != "active" && text != "maintenance") {
    return ApiError("InvalidParameterValue", "Mode is active or maintenance, not '" + text.substr(0, 40) + "'");
  }
  const auto attempt = [&]() -> Reply<bool> {
    auto host = TRY(control::read<model::HostDesired>(call.store, model::desired_key(id)));
    if (!host.exists()) return ApiError("InvalidHostID.NotFound", "The host '" + id.text() + "' does not exist");
    host.value.mode = text == "active" ? model::HostMode::kActive : model::HostMode::kMaintenance;
    control::Change change;
    change.update(model::desired_key(id), host.value, host.revision);
    TRY(change.add_event(call.store, model::events_key(id), {call.clock.now(), call.account.name, "mode " + text, ""}));
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

Reply<> pileus_describe_events(Call& call, pugi::xml_node answer) {
  const std::string& text = call.parameters.get("ResourceId");
  std::string key;
  if (text.starts_with("h-") && call.account.administrator) {
    key = model::events_key(TRY(parse_host(text)));
  } else if (text.starts_with("jt-") && call.account.administrator) {
    key = model::events_key(TRY(parse_id<model::JoinTokenId>(text, "JoinTokenID")));
  } else {
    key = model::events_key(TRY(find_instance(call, text)).desired.id);
  }
  const auto log = TRY(control::read<model::EventLog>(call.store, key));
  add_number(answer, "dropped", static_cast<i64>(log.value.dropped));
  pugi::xml_node set = add(answer, "eventSet");
  for (const model::Event& event : log.value.events) {
    pugi::xml_node item = add_item(set);
    add_time(item, "at", event.at);
    add(item, "by", event.by);
    add(item, "what", event.what);
    add(item, "why", event.why);
  }
  return {};
}

Reply<> pileus_explain(Call& call, pugi::xml_node answer) {
  const InstanceEntry entry = TRY(find_instance(call, call.parameters.get("InstanceId")));
  add(answer, "instanceId", entry.desired.id.text());
  add_if(answer, "hostId", entry.placed.host.text());
  pugi::xml_node set = add(answer, "reasonSet");
  for (const std::string& line : entry.placed.why) add(set, "item", line);
  if (entry.placed.why.empty() && !entry.observed.reason.empty()) add(set, "item", entry.observed.reason);
  return {};
}

Reply<> pileus_create_account(Call& call, pugi::xml_node answer) {
  NewAccount request;
  request.name = call.parameters.get("Name");
  request.access_key = call.parameters.get("AccessKeyId");
  request.secret_key = call.parameters.get("SecretAccessKey");
  request.administrator = TRY(call.parameters.boolean("Administrator", false));
  model::Quota& quota = request.quota;
  quota.instances = static_cast<u32>(TRY(read_quota(call, "MaxInstances", quota.instances)));
  quota.vcpus = static_cast<u32>(TRY(read_quota(call, "MaxVcpus", quota.vcpus)));
  quota.volume_gib = TRY(read_quota(call, "MaxVolumeGiB", quota.volume_gib));
  quota.snapshots = static_cast<u32>(TRY(read_quota(call, "MaxSnapshots", quota.snapshots)));
  if (request.access_key.empty() != request.secret_key.empty()) {
    return ApiError("InvalidParameterCombination", "AccessKeyId and SecretAccessKey belong together");
  }
  const Result<model::Account> account = create_account(call.store, request, call.clock.now());
  if (!account && account.error().code() == ErrorCode::kExists)
    return ApiError("EntityAlreadyExists", account.error().message(), 409);
  if (!account && account.error().code() == ErrorCode::kInvalid)
    return ApiError("InvalidParameterValue", account.error().message());
  if (!account) return account.error();
  add(answer, "accountId", account->id.text());
  add(answer, "name", account->name);
  add(answer, "accessKeyId", account->access_keys[0].id);
  add(answer, "secretAccessKey", account->access_keys[0].secret);
  return {};
}

Reply<> pileus_describe_accounts(Call& call, pugi::xml_node answer) {
  pugi::xml_node set = add(answer, "accountSet");
  for (const model::Account& account : TRY(call.accounts.list())) {
    pugi::xml_node item = add_item(set);
    add(item, "accountId", account.id.text());
    add(item, "name", account.name);
    add_flag(item, "administrator", account.administrator);
    pugi::xml_node keys = add(item, "accessKeySet");
    for (const model::AccessKey& key : account.access_keys) {
      pugi::xml_node each = add_item(keys);
      add(each, "accessKeyId", key.id);
      add_flag(each, "enabled", key.enabled);
    }
    add_time(item, "createdAt", account.created_at);
  }
  return {};
}

}  // namespace pileus::ec2
