#include "ahci/adapter.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "base/log.h"

namespace pileus::ahci {

namespace {

// Intel's of the ICH9, the AHCI adapter that every operating system knows; most go by the class alone.
constexpr virtio::PciIdentity kIdentity{.vendor = 0x8086,
                                        .device = 0x2922,
                                        .revision = 2,
                                        .class_code = 0x010601,
                                        .subsystem_vendor = 0x1AF4,
                                        .subsystem = 0x1100};
constexpr u16 kInterruptPin = 0x3D;
constexpr u32 kIntxDisable = 0x400;
constexpr unsigned kBatch = 64;  // commands of one port before others have their turn
constexpr u64 kRetryNs = 1'000'000'000;
constexpr u64 kRegisterBytes = 4;

}  // namespace

Result<std::unique_ptr<Adapter>> Adapter::create(const Wiring& wiring, u32 ports) {
  CHECK(ports >= 1 && ports <= kMaxPorts);
  std::unique_ptr<Adapter> self(new Adapter(wiring, ports));
  TRY(self->watch());
  return self;
}

Adapter::Adapter(const Wiring& wiring, u32 ports) : wiring_(wiring), config_(kIdentity), msi_(config_, wiring.msi) {
  if (wiring_.line != nullptr) config_.poke(kInterruptPin, 1, 1);
  config_.add_bar(kBarIndex, virtio::PciConfigSpace::BarKind::kMemory32, kBarSize, false,
                  [this](std::optional<u64> address) { move_bar(address); });
  for (u32 i = 0; i < ports; ++i) {
    ports_.push_back(std::make_unique<Port>(wiring_.memory, mutex_));
    ports_.back()->power_on();
  }
}

Result<> Adapter::watch() {
  event_ = os::Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_.valid()) return Error::from_errno("make a SATA adapter");
  Result<> watched;
  os::EventLoop& loop = wiring_.io.loop();
  loop.call([&] {
    Result<std::unique_ptr<os::Timer>> timer = os::Timer::create(loop, [this] { retry_kept(); });
    if (!timer) {
      watched = std::move(timer).error();
      return;
    }
    later_ = std::move(timer).value();
    watched = loop.add(event_.get(), EPOLLIN, [this](u32) { work(); });
  });
  return watched;
}

Adapter::~Adapter() {
  move_bar(std::nullopt);
  wiring_.io.loop().call([this] {
    wiring_.io.loop().remove(event_.get());
    later_.reset();
    ports_.clear();
  });
}

void Adapter::plug(u32 port, std::unique_ptr<Device> device) {
  wiring_.io.loop().call([&] {
    const std::lock_guard lock(mutex_);
    ports_[port]->plug(std::move(device));
    update_interrupts();
  });
}

void Adapter::unplug(u32 port) {
  wiring_.io.loop().call([&] {
    std::unique_ptr<Device> device;
    const std::lock_guard lock(mutex_);
    device = ports_[port]->unplug();
    update_interrupts();
  });
}

u32 Adapter::config_read(u16 offset, unsigned size) {
  const std::lock_guard lock(mutex_);
  return config_.read(offset, size);
}

void Adapter::config_write(u16 offset, unsigned size, u32 value) {
  const std::lock_guard lock(mutex_);
  config_.write(offset, size, value);
  msi_.update();
  update_interrupts();
}

void Adapter::move_bar(std::optional<u64> address) {
  if (mapped_) wiring_.mmio.remove(*mapped_);
  mapped_.reset();
  if (!address) return;
  const Result<> added = wiring_.mmio.add(*address, kBarSize, this);
  // The guest chose a place that is taken; the function cannot be reached until it moves the BAR.
  if (!added.ok()) return log::debug("SATA adapter: {}", added.error().message());
  mapped_ = address;
}

// A register is accessed as a whole, or, read, in parts of it; two of them as one of 64 bits.
u64 Adapter::read(u64 offset, unsigned size) {
  const std::lock_guard lock(mutex_);
  const u64 within = offset % kRegisterBytes, at = offset - within;
  u64 value = read_register(at);
  if (size + within > kRegisterBytes) value |= u64{read_register(at + kRegisterBytes)} << 32;
  return value >> 8 * within;
}

void Adapter::write(u64 offset, unsigned size, u64 value) {
  if (offset % kRegisterBytes != 0 || size < kRegisterBytes) return;
  bool work = false;
  {
    const std::lock_guard lock(mutex_);
    work = write_register(offset, static_cast<u32>(value));
    if (size > kRegisterBytes) work |= write_register(offset + kRegisterBytes, static_cast<u32>(value >> 32));
    update_interrupts();
  }
  if (work) wake();
}

u32 Adapter::read_register(u64 offset) const {
  const auto ports = static_cast<u32>(ports_.size());
  if (offset >= kPortsAt) {
    const u64 port = (offset - kPortsAt) / kPortBytes;
    return port < ports ? ports_[port]->read((offset - kPortsAt) % kPortBytes) : 0;
  }
  switch (offset) {
    case kCap:
      return kCap64Bit | kCapQueuing | kCapListOverride | kCapThirdGeneration | kCapAhciOnly |
             (kSlots - 1) << kCapSlotsShift | (ports - 1);
    case kGhc: return control_;
    case kIs: return status_;
    case kPi: return static_cast<u32>((u64{1} << ports) - 1);
    case kVs: return kVersion;
    default: return 0;
  }
}

bool Adapter::write_register(u64 offset, u32 value) {
  if (offset >= kPortsAt) {
    const u64 port = (offset - kPortsAt) / kPortBytes;
    return port < ports_.size() && ports_[port]->write((offset - kPortsAt) % kPortBytes, value);
  }
  if (offset == kIs) {
    status_ &= ~value;
    told_ &= ~value;
  }
  if (offset != kGhc) return false;
  // A reset that was asked for stays so until it is done.
  control_ = kGhcAhci | (value & kGhcInterrupts) | ((value | control_) & kGhcReset);
  return (control_ & kGhcReset) != 0;
}

// A message is sent when a port begins to interrupt, and again when one goes on though the driver has taken its bit back
// (10.6.2.2).
void Adapter::update_interrupts() {
  for (std::size_t i = 0; i < ports_.size(); ++i) status_ |= u32{ports_[i]->wants_interrupt()} << i;
  const u32 telling = (control_ & kGhcInterrupts) != 0 ? status_ : 0;
  if ((telling & ~std::exchange(told_, telling)) != 0) msi_.signal();
  if (wiring_.line == nullptr) return;
  const bool by_line = !msi_.enabled() && (config_.peek(virtio::kPciCommand, 2) & kIntxDisable) == 0;
  wiring_.line->set(by_line && telling != 0);
}

void Adapter::wake() {
  if (woken_.exchange(true)) return;  // the I/O thread is on its way
  const u64 one = 1;
  [[maybe_unused]] const auto ignored = ::write(event_.get(), &one, sizeof one);
}

void Adapter::work() {
  u64 count = 0;
  [[maybe_unused]] const auto ignored = ::read(event_.get(), &count, sizeof count);
  woken_ = false;
  reset_if_asked();
  bool keeps = false;
  for (const auto& port : ports_) {
    work(*port);
    keeps |= port->keeps_commands();
  }
  if (keeps && !std::exchange(retrying_, true)) later_->arm(kRetryNs);
}

// Bounded, because a hostile driver can go on for ever.
void Adapter::work(Port& port) {
  for (unsigned left = kBatch; left > 0; --left) {
    const bool stepped = port.step();
    const std::lock_guard lock(mutex_);
    update_interrupts();
    if (!stepped) return;
  }
  wake();
}

void Adapter::reset_if_asked() {
  const std::lock_guard lock(mutex_);
  if ((control_ & kGhcReset) == 0) return;
  for (const auto& port : ports_) port->reset();
  control_ = kGhcAhci;
  status_ = told_ = 0;
  update_interrupts();
}

void Adapter::retry_kept() {
  retrying_ = false;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& port : ports_) port->retry_kept();
  }
  work();
}

void Adapter::reset() {
  wiring_.io.loop().call([this] {
    const std::lock_guard lock(mutex_);
    for (const auto& port : ports_) port->power_on();
    control_ = kGhcAhci;
    status_ = told_ = 0;
    config_.write(virtio::kPciCommand, 2, 0);
    msi_.reset();
    update_interrupts();
  });
}

}  // namespace pileus::ahci
