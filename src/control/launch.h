// RunInstances' part in the state store: desired instances, all or none, once per client token.
#pragma once

#include <functional>

#include "control/clock.h"
#include "control/tokens.h"

namespace pileus::control {

inline constexpr std::string_view kLaunchAction = "RunInstances";
// Three records each, the caller's, and the token have to fit into one transaction.
inline constexpr u32 kMaxLaunch = 20;

struct LaunchRequest {
  model::InstanceDesired prototype;  // ids, launch_index and launched_at are filled in
  u32 count = 1;                     // 1 to kMaxLaunch
  // Tells requests apart under one token; empty: the encoded prototype and the count.
  std::string parameters;
  // Called for each new instance when its id is known: fills in what is its own, and adds records that are to appear
  // with it to the transaction (three, if they are as many as can be). May be left out.
  std::function<Result<>(Change&, model::InstanceDesired&)> prepare;
};

struct Launched {
  model::ReservationId reservation;
  std::vector<model::InstanceId> instances;
  bool repeated = false;  // an earlier request with this token made them
};

// kExists: IdempotentParameterMismatch. kGone: somebody has changed what it relied on; begin anew. kTimeout: perhaps; repeat with the same token. Everything is durable on return.
Result<Launched> launch(state::Store& store, const Clock& clock, const LaunchRequest& request);

// The answer that is kept under a token.
Result<Launched> decode_answer(std::string_view text);

// Writes what the owner wants of an instance: running, stopped, terminated. kNotFound; kInvalid from terminated;
// kPermission for a protected instance; kBusy when others changed it each time we tried.
Result<> set_power(state::Store& store, const Clock& clock, model::InstanceId id, model::Power power,
                   const std::string& by);

}  // namespace pileus::control
