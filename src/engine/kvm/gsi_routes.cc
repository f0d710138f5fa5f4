#include "engine/kvm/gsi_routes.h"

#include <linux/kvm.h>

#include <vector>

#include "engine/kvm/device.h"
#include "engine/kvm/list.h"

namespace pileus::engine::kvm {

namespace {

kvm_irq_routing_entry entry_for(u32 gsi, const guest::MsiMessage& message) {
  kvm_irq_routing_entry entry{};
  entry.gsi = gsi;
  entry.type = KVM_IRQ_ROUTING_MSI;
  entry.u.msi.address_lo = static_cast<u32>(message.address);
  entry.u.msi.address_hi = static_cast<u32>(message.address >> 32);
  entry.u.msi.data = message.data;
  return entry;
}

}  // namespace

// Bits 5 to 11 of the address extend the destination (KVM_FEATURE_MSI_EXT_DEST_ID).
std::optional<guest::MsiMessage> as_kvm_has_it(const guest::MsiMessage& message) {
  if (!guest::is_interrupt(message)) return std::nullopt;
  const u64 extended = message.address >> 5 & 0x7F;
  return guest::MsiMessage{(message.address & ~u64{0xFE0}) | extended << 40, message.data};
}

Result<> GsiRoutes::add_level(const guest::MsiMessage& message) {
  const std::lock_guard lock(mutex_);
  if (!levels_.learn(message)) return {};
  return write_table();
}

std::optional<u32> GsiRoutes::take() {
  const std::lock_guard lock(mutex_);
  u32 gsi = LevelRoutes::kSlots;
  for (const auto& [taken, message] : taken_) {
    if (taken != gsi) break;
    ++gsi;
  }
  if (gsi >= count_) return std::nullopt;
  taken_.emplace(gsi, std::nullopt);
  return gsi;
}

// KVM may keep what it sent: nobody has the number to send it by.
void GsiRoutes::give_back(u32 gsi) {
  const std::lock_guard lock(mutex_);
  taken_.erase(gsi);
}

Result<> GsiRoutes::set(u32 gsi, const std::optional<guest::MsiMessage>& message) {
  const std::lock_guard lock(mutex_);
  std::optional<guest::MsiMessage>& present = taken_[gsi];
  if (present == message) return {};
  const auto before = present;
  present = message;
  Result<> written = write_table();
  if (!written) present = before;
  return written;
}

Result<> GsiRoutes::write_table() const {
  std::vector<kvm_irq_routing_entry> table;
  for (u32 slot = 0; slot < LevelRoutes::kSlots; ++slot) {
    const guest::MsiMessage& message = levels_.slots()[slot];
    if (message.data != 0) table.push_back(entry_for(slot, message));
  }
  for (const auto& [gsi, message] : taken_) {
    if (message) table.push_back(entry_for(gsi, *message));
  }
  List<kvm_irq_routing_entry> list(table);
  TRY(call(vm_, list_request(KVM_SET_GSI_ROUTING), list.argument(), "KVM_SET_GSI_ROUTING"));
  return {};
}

}  // namespace pileus::engine::kvm
