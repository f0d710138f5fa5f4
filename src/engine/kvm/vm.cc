#include "engine/kvm/vm.h"

#include "base/log.h"
#include "engine/kvm/cpuid.h"
#include "engine/kvm/irqfd.h"

namespace pileus::engine::kvm {

namespace {

// Pages that Intel processors without "unrestricted guest" need for real mode; the board has nothing there.
constexpr u64 kIdentityMap = 0xFEFFC000;
constexpr u64 kTaskState = 0xFEFFD000;

constexpr u32 kLevelTriggered = 0x8000;  // in a message's data: Intel SDM vol. 3, 11.11

// Since Linux 6.11; the headers of Debian 12 are older.
constexpr u32 kCapApicBusCycles = 237;
constexpr u64 kBusNs = 100;  // the 10 MHz of CPUID leaf 0x15

}  // namespace

Result<std::unique_ptr<Vm>> Vm::create(const Config& config) {
  Device device = TRY(Device::open());
  const CpuFeatures supported = supported_features(device.supported_cpuid());
  const CpuFeatures features = TRY(resolve_model(config.cpu_model, supported));
  os::Fd file(TRY(call(device.fd(), KVM_CREATE_VM, 0, "KVM_CREATE_VM")));
  std::unique_ptr<Vm> vm(new Vm(config, std::move(device), std::move(file)));
  vm->features_ = features & supported;  // of what a model has on every host, KVM may lack something
  TRY(vm->set_up_processors());
  TRY(vm->add_memory());
  vm->has_irqfd_ = vm->device_.capability(KVM_CAP_IRQFD) > 0;
  if (!vm->has_irqfd_) log::info("this host's KVM has no irqfd: interrupts of devices are sent by message");
  if (vm->device_.capability(KVM_CAP_IOEVENTFD_ANY_LENGTH) > 0) config.mmio->watch_doorbells(vm.get());
  vm->dirty_log_ = TRY(KvmDirtyLog::create(vm->fd(), vm->device_, *config.memory, config.kvm_dirty));
  return vm;
}

Result<> Vm::enable(u32 capability, u64 argument, const char* what) {
  kvm_enable_cap request{};
  request.cap = capability;
  request.args[0] = argument;
  TRY(call(fd(), KVM_ENABLE_CAP, &request, what));
  return {};
}

Result<> Vm::set_up_processors() {
  u64 identity_map = kIdentityMap;
  TRY(call(fd(), KVM_SET_IDENTITY_MAP_ADDR, &identity_map, "KVM_SET_IDENTITY_MAP_ADDR"));
  TRY(call(fd(), KVM_SET_TSS_ADDR, kTaskState, "KVM_SET_TSS_ADDR"));
  TRY(enable(KVM_CAP_SPLIT_IRQCHIP, LevelRoutes::kSlots, "KVM_CAP_SPLIT_IRQCHIP"));
  TRY(enable(KVM_CAP_X2APIC_API, KVM_X2APIC_API_USE_32BIT_IDS, "KVM_CAP_X2APIC_API"));
  // Else the timer's input clock has KVM's 1 GHz.
  if (device_.capability(kCapApicBusCycles) > 0 && enable(kCapApicBusCycles, kBusNs, "APIC bus cycles").ok()) {
    apic_cycle_ns_ = kBusNs;
  }
  return {};
}

Result<> Vm::add_memory() {
  u32 slot = 0;
  for (const guest::GuestMemory::Region& region : config_.memory->regions()) {
    kvm_userspace_memory_region request{};
    request.slot = slot++;
    request.guest_phys_addr = region.base;
    request.memory_size = region.size;
    request.userspace_addr = reinterpret_cast<u64>(region.host);
    TRY(call(fd(), KVM_SET_USER_MEMORY_REGION, &request, "KVM_SET_USER_MEMORY_REGION"));
  }
  return {};
}

// Where it fails, the write goes to the device as any other.
void Vm::set_doorbell(u64 address, int event, u32 flags) const {
  kvm_ioeventfd request{};
  request.addr = address;
  request.len = 0;  // any
  request.fd = event;
  request.flags = flags;
  const Result<int> set = call(fd(), KVM_IOEVENTFD, &request, "KVM_IOEVENTFD");
  if (!set) log::warn("a device's doorbell at {:#x} is slow: {}", address, set.error().message());
}

void Vm::signal_msi(u64 address, u32 data) {
  const std::optional<guest::MsiMessage> sent = as_kvm_has_it({address, data});
  if (!sent) return;
  if ((data & kLevelTriggered) != 0) {
    const Result<> added = routes_.add_level(*sent);
    if (!added) log::error("a level-triggered interrupt will not be seen to end: {}", added.error().message());
  }
  kvm_msi message{};
  message.address_lo = static_cast<u32>(sent->address);
  message.address_hi = static_cast<u32>(sent->address >> 32);
  message.data = data;
  // Nobody to tell: a message to no APIC, or to one that is switched off, is lost as on a board.
  (void)::ioctl(fd(), KVM_SIGNAL_MSI, &message);
}

std::unique_ptr<guest::MsiSource> Vm::make_source(guest::MsiSink& sink) {
  if (has_irqfd_) {
    Result<std::unique_ptr<guest::MsiSource>> made = Irqfd::create(fd(), routes_, sink);
    if (made) return std::move(*made);
    log::warn("an interrupt of a device is sent by message: {}", made.error().message());
  }
  return std::make_unique<guest::MessageSource>(sink);
}

Result<> Vm::set_clock(u64 ns) {
  kvm_clock_data clock{};
  clock.clock = ns;
  TRY(call(fd(), KVM_SET_CLOCK, &clock, "KVM_SET_CLOCK"));
  return {};
}

}  // namespace pileus::engine::kvm
