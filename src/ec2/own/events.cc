// What happened, and why it is as it is.
#include "ec2/instances/objects.h"
#include "ec2/own/handlers.h"
#include "model/event.h"

namespace pileus::ec2 {

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
  add_if(answer, "targetHostId", entry.placed.migration.to.text());
  pugi::xml_node set = add(answer, "reasonSet");
  for (const std::string& line : entry.placed.why) add(set, "item", line);
  if (entry.placed.why.empty() && !entry.observed.reason.empty()) add(set, "item", entry.observed.reason);
  return {};
}

}  // namespace pileus::ec2
