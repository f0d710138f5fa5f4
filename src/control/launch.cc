#include "control/launch.h"

namespace pileus::control {
namespace {

// The answer under a token: ids with spaces between, the reservation first.
std::string encode_answer(const Launched& launched) {
  std::string text = launched.reservation.text();
  for (const model::InstanceId id : launched.instances) text += " " + id.text();
  return text;
}

void add_instance(Change& change, const model::InstanceDesired& desired) {
  change.update(model::desired_key(desired.id), desired, 0);
  model::InstanceObserved observed;
  observed.id = desired.id;
  observed.changed_at = desired.launched_at;
  change.put(model::observed_key(desired.id), model::encode(observed));
  model::EventLog log;
  model::append(log, {desired.launched_at, desired.account.text(), "asked for", desired.type});
  change.put(model::events_key(desired.id), model::encode(log));
}

}  // namespace

Result<Launched> decode_answer(std::string_view text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  Launched launched;
  launched.reservation = TRY(model::ReservationId::parse(text.substr(0, end)));
  for (std::size_t begin = end; begin < text.size();) {
    const std::size_t next = std::min(text.find(' ', begin + 1), text.size());
    launched.instances.push_back(TRY(model::InstanceId::parse(text.substr(begin + 1, next - begin - 1))));
    begin = next;
  }
  launched.repeated = true;
  return launched;
}

Result<Launched> launch(state::Store& store, const Clock& clock, const LaunchRequest& request) {
  const model::InstanceDesired& prototype = request.prototype;
  if (request.count < 1 || request.count > kMaxLaunch) {
    return Error(ErrorCode::kInvalid, "one request launches 1 to 20 instances: ask several times for more");
  }
  TRY(check_token(prototype.client_token));
  const std::string parameters =
      request.parameters.empty() ? model::encode(prototype) + std::to_string(request.count) : request.parameters;
  const std::string key = model::token_key(prototype.account, kLaunchAction, prototype.client_token);
  const bool has_token = !prototype.client_token.empty();
  if (has_token) {
    const auto earlier = TRY(earlier_answer(store, key, parameters));
    if (earlier) return decode_answer(*earlier);
  }
  Launched launched;
  launched.reservation = model::ReservationId::random();
  Change change;
  model::InstanceDesired desired = prototype;
  desired.reservation = launched.reservation;
  desired.launched_at = clock.now();
  for (u32 i = 0; i < request.count; i++) {
    desired.id = model::InstanceId::random();
    desired.launch_index = i;
    launched.instances.push_back(desired.id);
    if (request.prepare) TRY(request.prepare(change, desired));
    add_instance(change, desired);
  }
  if (has_token) bind_token(change, key, {parameters, encode_answer(launched), desired.launched_at});
  if (TRY(change.commit(store))) return launched;
  // Another request with this token was quicker: its answer is ours.
  const auto earlier = TRY(earlier_answer(store, key, parameters));
  if (earlier) return decode_answer(*earlier);
  return Error(ErrorCode::kGone, "what the launch relied on has changed meanwhile: try again");
}

Result<> set_power(state::Store& store, const Clock& clock, model::InstanceId id, model::Power power,
                   const std::string& by) {
  constexpr int kTries = 8;
  for (int i = 0; i < kTries; i++) {
    Stored<model::InstanceDesired> desired = TRY(read<model::InstanceDesired>(store, model::desired_key(id)));
    if (!desired.exists()) return Error(ErrorCode::kNotFound, "instance '" + id.text() + "' does not exist");
    if (desired.value.power == power) return {};
    if (desired.value.power == model::Power::kTerminated) {
      return Error(ErrorCode::kInvalid, "instance '" + id.text() + "' is terminated: launch a new one");
    }
    if (power == model::Power::kTerminated && desired.value.termination_protected) {
      return Error(ErrorCode::kPermission,
                   "instance '" + id.text() + "' is protected: lift its termination protection first");
    }
    desired.value.power = power;
    desired.value.generation++;
    Change change;
    change.update(model::desired_key(id), desired.value, desired.revision);
    TRY(change.add_event(store, model::events_key(id),
                         {clock.now(), by, "wanted " + std::string(model::name(power)), ""}));
    if (TRY(change.commit(store))) return {};
  }
  return Error(ErrorCode::kBusy, "instance '" + id.text() + "' is being changed by others: try again");
}

}  // namespace pileus::control
