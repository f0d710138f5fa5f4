// An instance goes to another host. What is asked for is written down at once, with the host that it goes to; hosts and
// controllers do the rest (control/migration.h).
#include "control/tokens.h"
#include "ec2/internal/once.h"
#include "ec2/own/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kAction = "PileusMigrateInstance";

// The account's, or anybody's for an administrator.
Reply<control::InstanceView> find_instance(const Call& call) {
  const std::string& text = call.parameters.get("InstanceId");
  const model::InstanceId id = TRY(parse_id<model::InstanceId>(text, "InstanceID"));
  control::InstanceView instance;
  instance.desired = TRY(control::read<model::InstanceDesired>(call.store, model::desired_key(id)));
  instance.placed = TRY(control::read<model::InstancePlaced>(call.store, model::placed_key(id)));
  instance.observed = TRY(control::read<model::InstanceObserved>(call.store, model::observed_key(id)));
  const bool own = instance.desired.value.account == call.account.id || call.account.administrator;
  if (instance.desired.exists() && own) return instance;
  return ApiError("InvalidInstanceID.NotFound", "The instance ID '" + text + "' does not exist");
}

Reply<model::HostId> wished_host(const Call& call) {
  const std::string& text = call.parameters.get("HostId");
  if (text.empty()) return model::HostId();
  const model::HostId id = TRY(parse_host(text));
  const auto host = TRY(control::read<model::HostDesired>(call.store, model::desired_key(id)));
  if (host.exists()) return id;
  return ApiError("InvalidHostID.NotFound", "The host '" + text + "' does not exist");
}

ApiError refusal(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kNotFound: return {"InvalidInstanceID.NotFound", error.message()};
    case ErrorCode::kInvalid: return {"IncorrectInstanceState", error.message()};
    case ErrorCode::kExhausted: return {"InsufficientInstanceCapacity", error.message(), 500};
    default: return internal_error(error);
  }
}

Reply<> cancel(const Call& call) {
  return retry([&]() -> Reply<bool> {
    const control::InstanceView instance = TRY(find_instance(call));
    const model::InstancePlaced& placed = instance.placed.value;
    if (!placed.migration.to) {
      return ApiError("IncorrectInstanceState",
                      "The instance '" + instance.desired.value.id.text() + "' is not on its way to another host");
    }
    control::Change change;
    TRY(control::give_up_migration(
        call.store, change, instance,
        {call.clock.now(), call.account.id.text(), "stays on " + placed.host.text(), "the migration was cancelled"}));
    return TRY(change.commit(call.store)).has_value();
  });
}

// The host that it goes to; once for a client token.
Reply<std::string> begin(const Call& call, const control::InstanceView& instance) {
  const std::string& token = call.parameters.get("ClientToken");
  const Result<> good = control::check_token(token);
  if (!good) return ApiError("InvalidParameterValue", good.error().message());
  const std::string key = model::token_key(call.account.id, kAction, token);
  if (const std::optional<std::string> earlier = TRY(earlier_answer(call, kAction))) return *earlier;
  control::MigrationWish wish;
  wish.id = instance.desired.value.id;
  wish.to = TRY(wished_host(call));
  wish.may_go_down = TRY(call.parameters.boolean("Reboot", false));
  wish.by = call.account.id.text();
  const bool runs = instance.observed.value.state == model::InstanceState::kRunning;
  if (runs && wish.may_go_down && instance.desired.value.stop_protected) {
    return ApiError("OperationNotPermitted",
                    "The instance '" + wish.id.text() +
                        "' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.");
  }
  if (!token.empty()) {
    wish.beside = [&](control::Change& change, model::HostId to) {
      control::bind_token(change, key, {request_digest(call.parameters), to.text(), call.clock.now()});
    };
  }
  const Result<model::HostId> to = call.settings.migrate(wish);
  if (!to) return refusal(to.error());
  return to->text();
}

}  // namespace

Reply<> pileus_migrate_instance(Call& call, pugi::xml_node answer) {
  if (!call.settings.migrate) return ApiError("UnsupportedOperation", "This cloud manager migrates no instances");
  const control::InstanceView instance = TRY(find_instance(call));
  std::string target;
  if (TRY(call.parameters.boolean("Cancel", false))) TRY(cancel(call));
  else target = TRY(begin(call, instance));
  add(answer, "instanceId", instance.desired.value.id.text());
  add_if(answer, "hostId", instance.placed.value.host.text());
  add_if(answer, "targetHostId", target);
  return {};
}

}  // namespace pileus::ec2
