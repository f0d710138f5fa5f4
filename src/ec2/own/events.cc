// What happened, and why it is as it is.
#include "ec2/images/objects.h"
#include "ec2/instances/objects.h"
#include "ec2/internal/records.h"
#include "ec2/own/handlers.h"
#include "ec2/security_groups/objects.h"
#include "ec2/snapshots/objects.h"
#include "model/event.h"

namespace pileus::ec2 {

namespace {

// Where the events of the account's resource are.
Reply<std::string> log_of(const Call& call, const std::string& id) {
  if (call.account.administrator) {
    if (id.starts_with("h-")) return model::events_key(TRY(parse_host(id)));
    if (id.starts_with("jt-")) return model::events_key(TRY(parse_id<model::JoinTokenId>(id, "JoinTokenID")));
  }
  if (id.starts_with("vol-")) return model::events_key(TRY(find_volume(call, id)).desired().id);
  if (id.starts_with("snap-")) return model::events_key(TRY(own_snapshot(call, id)).desired.id);
  if (id.starts_with("ami-")) return model::events_key(TRY(own_image(call, id)).desired.id);
  if (id.starts_with("sg-")) return model::events_key(TRY(find_group(call, id, "")).value.id);
  if (id.starts_with("subnet-")) return model::events_key(TRY(find_record<model::SubnetDesired>(call, id)).value.id);
  if (id.starts_with("vpc-")) return model::events_key(TRY(find_record<model::VpcDesired>(call, id)).value.id);
  if (id.starts_with("key-")) return model::events_key(TRY(find_record<model::KeyPair>(call, id)).value.id);
  return model::events_key(TRY(find_instance(call, id)).desired.id);
}

}  // namespace

Reply<> pileus_describe_events(Call& call, pugi::xml_node answer) {
  const std::string key = TRY(log_of(call, call.parameters.get("ResourceId")));
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
  add_if(answer, "targetHostId", entry.placed.migration.to.text());
  pugi::xml_node set = add(answer, "reasonSet");
  for (const std::string& line : entry.placed.why) add(set, "item", line);
  if (entry.placed.why.empty() && !entry.observed.reason.empty()) add(set, "item", entry.observed.reason);
  return {};
}

}  // namespace pileus::ec2
