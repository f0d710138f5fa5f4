// Interrupt messages to local APICs (Intel SDM vol. 3, 11.6.2).
#include "engine/bt/lapic.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

Context* Vm::context_of(u32 apic_id) const {
  for (Context* context : contexts_) {
    if (context->id == apic_id) return context;
  }
  return nullptr;
}

void Vm::deliver(u32 destination, bool logical, Delivery delivery, u8 vector, bool level) {
  for (Context* context : contexts_) {
    if (!context->lapic->matches(destination, logical)) continue;
    const bool lowest = delivery == Delivery::kLowest;
    context->lapic->post(lowest ? Delivery::kFixed : delivery, vector, level);
    if (lowest) return;  // any one of them will do
  }
}

}  // namespace pileus::engine::bt
