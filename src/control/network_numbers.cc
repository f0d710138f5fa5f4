#include "control/network_numbers.h"

namespace pileus::control {
namespace {

constexpr int kTries = 16;

}  // namespace

Result<u32> network_number(state::Store& store, model::VpcId vpc) {
  for (int i = 0; i < kTries; ++i) {
    auto observed = TRY(read<model::VpcObserved>(store, model::observed_key(vpc)));
    if (observed.value.vni != 0) return observed.value.vni;
    const auto number = static_cast<u32>(model::random_id() & 0xFF'FFFFU);
    if (number == 0) continue;
    observed.value.id = vpc;
    observed.value.vni = number;
    Change change;
    change.expect(model::network_number_key(number), 0);
    change.put(model::network_number_key(number), vpc.text());
    change.update(model::observed_key(vpc), observed.value, observed.revision);
    const auto done = TRY(change.commit(store));
    if (done) return number;
  }
  return Error(ErrorCode::kExhausted, "no free network number was found");
}

}  // namespace pileus::control
