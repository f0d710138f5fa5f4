#include "virtio/pci_transport.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <bit>
#include <cstddef>
#include <cstring>

#include "base/log.h"

namespace pileus::virtio {

namespace {

// The regions of the BAR.
constexpr u64 kPage = 0x1000;
constexpr u32 kCommonAt = 0x0000;
constexpr u32 kIsrAt = 0x1000;
constexpr u32 kDeviceAt = 0x2000;
constexpr u32 kNotifyAt = 0x3000;
constexpr u32 kMsixTableAt = 0x4000;
constexpr u32 kMsixPendingAt = 0x5000;
constexpr u32 kNotifyMultiplier = 4;
constexpr u32 kDeviceConfigBytes = 256;

// 4.1.4.3.
struct CommonConfig {
  u32 device_feature_select;
  u32 device_feature;
  u32 driver_feature_select;
  u32 driver_feature;
  u16 config_msix_vector;
  u16 num_queues;
  u8 device_status;
  u8 config_generation;
  u16 queue_select;
  u16 queue_size;
  u16 queue_msix_vector;
  u16 queue_enable;
  u16 queue_notify_off;
  u64 queue_desc;
  u64 queue_driver;
  u64 queue_device;
};
static_assert(sizeof(CommonConfig) == 56);

// device_status (2.1).
constexpr u8 kStatusFeaturesOk = 8;
constexpr u8 kStatusDriverOk = 4;
constexpr u8 kStatusNeedsReset = 64;

constexpr u8 kIsrQueue = 1;
constexpr u8 kIsrConfig = 2;
constexpr u16 kNoVector = 0xFFFF;

// Capabilities (4.1.4 and PCI 3.0, 6.8.2).
constexpr u8 kCapabilityVendor = 0x09;
constexpr u8 kCapabilityMsix = 0x11;
constexpr u8 kTypeCommon = 1;
constexpr u8 kTypeNotify = 2;
constexpr u8 kTypeIsr = 3;
constexpr u8 kTypeDevice = 4;
constexpr u8 kTypeWindow = 5;
constexpr u16 kWindowBar = 4;  // offsets in virtio_pci_cfg_cap
constexpr u16 kWindowOffset = 8;
constexpr u16 kWindowLength = 12;
constexpr u16 kWindowData = 16;
constexpr u16 kMsixControl = 2;
constexpr u32 kMsixEnable = 0x8000;
constexpr u32 kMsixMaskAll = 0x4000;

constexpr u16 kVirtioVendor = 0x1AF4;
constexpr u16 kFirstModernDevice = 0x1040;
constexpr unsigned kMaxQueues = 64;  // bits of notified_
constexpr unsigned kMaxComplaints = 10;

u32 class_code(DeviceId id) {
  switch (id) {
    case DeviceId::kNet: return 0x020000;
    case DeviceId::kBlock: return 0x018000;
    case DeviceId::kConsole: return 0x078000;
    case DeviceId::kEntropy: return 0xFF0000;
    case DeviceId::kScsi: return 0x010000;
  }
  return 0xFF0000;
}

PciIdentity identity_of(const Device& device) {
  const auto id = static_cast<u16>(device.id());
  // Revision 1 and a subsystem id of at least 0x40: not a transitional device (4.1.2.1).
  return {kVirtioVendor,
          static_cast<u16>(kFirstModernDevice + id),
          1,
          class_code(device.id()),
          kVirtioVendor,
          static_cast<u16>(0x40 + id)};
}

void put_u32(u8* at, u32 value) { std::memcpy(at, &value, sizeof value); }

bool has_bit_range(u32 offset, unsigned size, u16 begin, u16 end) { return offset < end && offset + size > begin; }

}  // namespace

Result<std::unique_ptr<VirtioPci>> VirtioPci::create(std::unique_ptr<Device> device, guest::GuestMemory& memory,
                                                     guest::Bus& mmio, guest::MsiSink& msi, IoThread& io) {
  CHECK(device->queue_sizes().size() <= kMaxQueues);
  std::unique_ptr<VirtioPci> self(new VirtioPci(std::move(device), memory, mmio, msi, io));
  TRY(self->watch_queues());
  return self;
}

// The I/O thread looks at the events without a lock: all are there before it watches the first.
Result<> VirtioPci::watch_queues() {
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    queue_events_.emplace_back(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!queue_events_.back().valid()) return Error::from_errno("make a virtio device");
  }
  Result<> watched;
  io_.loop().call([&] {
    Result<std::unique_ptr<os::Timer>> timer = os::Timer::create(io_.loop(), [this] { notify_delayed(); });
    if (timer) later_ = std::move(timer).value();
    else watched = std::move(timer).error();
    for (std::size_t i = 0; i < queues_.size() && watched.ok(); ++i) {
      watched =
          io_.loop().add(queue_events_[i].get(), EPOLLIN, [this, i](u32) { on_queue_event(static_cast<u16>(i)); });
    }
  });
  return watched;
}

VirtioPci::VirtioPci(std::unique_ptr<Device> device, guest::GuestMemory& memory, guest::Bus& mmio, guest::MsiSink& msi,
                     IoThread& io)
    : device_(std::move(device)),
      memory_(memory),
      mmio_(mmio),
      io_(io),
      msix_(static_cast<u16>(device_->queue_sizes().size() + 1), msi),
      config_(identity_of(*device_)),
      queues_(device_->queue_sizes().size()),
      config_vector_(kNoVector),
      queue_vectors_(device_->queue_sizes().size()) {
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    queues_[i].max_size = queues_[i].size = device_->queue_sizes()[i];
    queue_vectors_[i] = kNoVector;
  }
  config_.add_bar(kBarIndex, PciConfigSpace::BarKind::kMemory64, kBarSize, false,
                  [this](std::optional<u64> address) { move_bar(address); });
  add_capabilities();
}

VirtioPci::~VirtioPci() {
  move_bar(std::nullopt);
  io_.loop().call([this] {
    for (const os::Fd& event : queue_events_) io_.loop().remove(event.get());
    later_.reset();
    device_->reset();
    device_.reset();
  });
}

void VirtioPci::add_virtio_capability(u8 type, u32 offset, u32 length, std::optional<u32> extra) {
  // virtio_pci_cap from cap_len on (4.1.4): cap_len cfg_type bar id padding(2) offset length.
  std::array<u8, 18> body{};
  const std::size_t size = extra ? 18 : 14;
  body[0] = static_cast<u8>(size + 2);
  body[1] = type;
  body[2] = kBarIndex;
  put_u32(&body[6], offset);
  put_u32(&body[10], length);
  if (extra) put_u32(&body[14], *extra);
  std::array<u8, 18> writable{};
  if (type == kTypeWindow) {
    writable.fill(0xFF);
    std::fill_n(writable.begin(), 2, u8{0});
  }
  const u16 at = config_.add_capability(kCapabilityVendor, std::span<const u8>(body).first(size),
                                        std::span<const u8>(writable).first(size));
  if (type == kTypeWindow) window_capability_ = at;
}

void VirtioPci::add_capabilities() {
  const auto queues = static_cast<u32>(queues_.size());
  add_virtio_capability(kTypeCommon, kCommonAt, sizeof(CommonConfig), std::nullopt);
  add_virtio_capability(kTypeNotify, kNotifyAt, queues * kNotifyMultiplier, kNotifyMultiplier);
  add_virtio_capability(kTypeIsr, kIsrAt, 1, std::nullopt);
  add_virtio_capability(kTypeDevice, kDeviceAt, kDeviceConfigBytes, std::nullopt);
  add_virtio_capability(kTypeWindow, 0, 0, 0);
  std::array<u8, 10> body{};
  const auto table_size = static_cast<u32>(msix_.vectors() - 1);
  body[0] = static_cast<u8>(table_size);
  body[1] = static_cast<u8>(table_size >> 8);
  put_u32(&body[2], kMsixTableAt | kBarIndex);
  put_u32(&body[6], kMsixPendingAt | kBarIndex);
  const std::array<u8, 2> writable = {0, (kMsixEnable | kMsixMaskAll) >> 8};
  msix_capability_ = config_.add_capability(kCapabilityMsix, body, writable);
}

void VirtioPci::move_bar(std::optional<u64> address) {
  if (mapped_) {
    for (std::size_t i = 0; i < queue_events_.size(); ++i) mmio_.remove_doorbell(doorbell_of(i));
    mmio_.remove(*mapped_);
  }
  mapped_.reset();
  if (!address) return;
  const Result<> added = mmio_.add(*address, kBarSize, this);
  // The guest chose a place that is taken; the function cannot be reached until it moves the BAR.
  if (!added.ok()) return log::debug("virtio: {}", added.error().message());
  mapped_ = address;
  for (std::size_t i = 0; i < queue_events_.size(); ++i) mmio_.add_doorbell(doorbell_of(i), queue_events_[i].get());
}

u64 VirtioPci::doorbell_of(std::size_t queue) const { return *mapped_ + kNotifyAt + queue * kNotifyMultiplier; }

u32 VirtioPci::config_read(u16 offset, unsigned size) {
  const std::lock_guard lock(mutex_);
  u64 bar_offset = 0;
  unsigned width = 0;
  if (window(offset, size, &bar_offset, &width)) {
    config_.poke(static_cast<u16>(window_capability_ + kWindowData), width,
                 static_cast<u32>(read_locked(bar_offset, width)));
  }
  return config_.read(offset, size);
}

void VirtioPci::config_write(u16 offset, unsigned size, u32 value) {
  const std::lock_guard lock(mutex_);
  config_.write(offset, size, value);
  const auto control_at = static_cast<u16>(msix_capability_ + kMsixControl);
  if (has_bit_range(offset, size, control_at, static_cast<u16>(control_at + 2))) {
    const u32 control = config_.peek(control_at, 2);
    msix_.set_control((control & kMsixEnable) != 0, (control & kMsixMaskAll) != 0);
  }
  u64 bar_offset = 0;
  unsigned width = 0;
  if (window(offset, size, &bar_offset, &width)) {
    const auto data_at = static_cast<u16>(window_capability_ + kWindowData);
    write_locked(bar_offset, width, config_.peek(data_at, width));
  }
}

// True when [offset, offset + size) of configuration space is the window's data and the window
// names a place inside the BAR.
bool VirtioPci::window(u16 offset, unsigned size, u64* bar_offset, unsigned* width) const {
  const u16 at = window_capability_;
  const auto data_at = static_cast<u16>(at + kWindowData);
  if (!has_bit_range(offset, size, data_at, static_cast<u16>(data_at + 4))) return false;
  const u32 length = config_.peek(static_cast<u16>(at + kWindowLength), 4);
  *bar_offset = config_.peek(static_cast<u16>(at + kWindowOffset), 4);
  *width = length;
  return config_.peek(static_cast<u16>(at + kWindowBar), 1) == kBarIndex &&
         (length == 1 || length == 2 || length == 4) && *bar_offset % length == 0 && *bar_offset + length <= kBarSize;
}

u64 VirtioPci::read(u64 offset, unsigned size) {
  const std::lock_guard lock(mutex_);
  return read_locked(offset, size);
}

void VirtioPci::write(u64 offset, unsigned size, u64 value) {
  // The hot path takes no lock.
  if (offset / kPage == kNotifyAt / kPage) return notify((offset - kNotifyAt) / kNotifyMultiplier);
  const std::lock_guard lock(mutex_);
  write_locked(offset, size, value);
}

u64 VirtioPci::read_locked(u64 offset, unsigned size) {
  const u64 within = offset % kPage;
  switch (offset - within) {
    case kCommonAt: return read_common(within, size);
    case kIsrAt: return within == 0 ? isr_.exchange(0) : 0;  // reading acknowledges (4.1.4.5)
    case kDeviceAt: return read_device_config(within, size);
    case kMsixTableAt: return msix_.read_table(within, size);
    case kMsixPendingAt: return msix_.read_pending(within, size);
    default: return 0;
  }
}

void VirtioPci::write_locked(u64 offset, unsigned size, u64 value) {
  const u64 within = offset % kPage;
  switch (offset - within) {
    case kCommonAt: return write_common(within, size, value);
    case kDeviceAt: return write_device_config(within, size, value);
    case kNotifyAt: return notify(within / kNotifyMultiplier);
    case kMsixTableAt: return msix_.write_table(within, size, value);
    default: return;
  }
}

u64 VirtioPci::read_device_config(u64 offset, unsigned size) const {
  std::array<u8, sizeof(u64)> bytes{};
  device_->read_config(static_cast<u32>(offset), std::span<u8>(bytes).first(size));
  return std::bit_cast<u64>(bytes);
}

void VirtioPci::write_device_config(u64 offset, unsigned size, u64 value) {
  const auto bytes = std::bit_cast<std::array<u8, sizeof(u64)>>(value);
  device_->write_config(static_cast<u32>(offset), std::span<const u8>(bytes).first(size));
}

u64 VirtioPci::offered_features() const {
  return device_->features() | kFeatureIndirect | kFeatureEventIndex | kFeatureVersion1;
}

u64 VirtioPci::read_common(u64 offset, unsigned size) {
  CommonConfig common{};
  common.device_feature_select = device_feature_select_;
  if (device_feature_select_ < 2) {
    common.device_feature = static_cast<u32>(offered_features() >> (32 * device_feature_select_));
  }
  common.driver_feature_select = driver_feature_select_;
  if (driver_feature_select_ < 2) {
    common.driver_feature = static_cast<u32>(driver_features_ >> (32 * driver_feature_select_));
  }
  common.config_msix_vector = config_vector_;
  common.num_queues = static_cast<u16>(queues_.size());
  common.device_status = status_;
  common.config_generation = config_generation_;
  common.queue_select = queue_select_;
  common.queue_msix_vector = kNoVector;
  if (queue_select_ < queues_.size()) {  // else the size reads zero: no such queue
    const QueueState& queue = queues_[queue_select_];
    common.queue_size = queue.size;
    common.queue_msix_vector = queue_vectors_[queue_select_];
    common.queue_enable = queue.enabled ? 1 : 0;
    common.queue_notify_off = queue_select_;
    common.queue_desc = queue.descriptors;
    common.queue_driver = queue.available;
    common.queue_device = queue.used;
  }
  u64 value = 0;
  std::array<u8, sizeof common> bytes;
  std::memcpy(bytes.data(), &common, sizeof common);
  if (offset < bytes.size() && size <= bytes.size() - offset) {
    std::memcpy(&value, &bytes[offset], size);
  }
  return value;
}

void VirtioPci::write_common(u64 offset, unsigned size, u64 value) {
  switch (offset) {
    case offsetof(CommonConfig, device_feature_select): device_feature_select_ = static_cast<u32>(value); return;
    case offsetof(CommonConfig, driver_feature_select): driver_feature_select_ = static_cast<u32>(value); return;
    case offsetof(CommonConfig, driver_feature): {
      if (driver_feature_select_ >= 2 || (status_ & kStatusFeaturesOk) != 0) return;
      const unsigned shift = 32 * driver_feature_select_;
      driver_features_ &= ~(u64{0xFFFFFFFF} << shift);
      driver_features_ |= (value & 0xFFFFFFFF) << shift;
      return;
    }
    case offsetof(CommonConfig, config_msix_vector):
      config_vector_ = value < msix_.vectors() ? static_cast<u16>(value) : kNoVector;
      return;
    case offsetof(CommonConfig, device_status): return write_status(static_cast<u8>(value));
    case offsetof(CommonConfig, queue_select): queue_select_ = static_cast<u16>(value); return;
    default: return write_queue_field(offset, size, value);
  }
}

namespace {

// Writes 4 or 8 bytes of a 64-bit field at `within` 0 or 4: drivers use either width (4.1.3.1).
void write_address(u64& field, u64 within, unsigned size, u64 value) {
  auto bytes = std::bit_cast<std::array<u8, sizeof(u64)>>(field);
  const auto source = std::bit_cast<std::array<u8, sizeof(u64)>>(value);
  if (within + size > bytes.size()) return;
  std::copy_n(source.begin(), size, bytes.begin() + static_cast<std::ptrdiff_t>(within));
  field = std::bit_cast<u64>(bytes);
}

}  // namespace

void VirtioPci::write_queue_field(u64 offset, unsigned size, u64 value) {
  if (queue_select_ >= queues_.size()) return;
  QueueState& queue = queues_[queue_select_];
  if (offset == offsetof(CommonConfig, queue_msix_vector)) {
    queue_vectors_[queue_select_] = value < msix_.vectors() ? static_cast<u16>(value) : kNoVector;
    return;
  }
  // The driver must not touch a queue once it is enabled (4.1.4.3.2).
  if (queue.enabled || (status_ & kStatusDriverOk) != 0) return;
  constexpr u64 kDesc = offsetof(CommonConfig, queue_desc);
  constexpr u64 kDriver = offsetof(CommonConfig, queue_driver);
  constexpr u64 kDevice = offsetof(CommonConfig, queue_device);
  if (offset == offsetof(CommonConfig, queue_size)) {
    if (std::has_single_bit(value) && value <= queue.max_size) queue.size = static_cast<u16>(value);
  } else if (offset == offsetof(CommonConfig, queue_enable)) {
    queue.enabled = value == 1;
  } else if (offset >= kDesc && offset < kDriver) {
    write_address(queue.descriptors, offset - kDesc, size, value);
  } else if (offset >= kDriver && offset < kDevice) {
    write_address(queue.available, offset - kDriver, size, value);
  } else if (offset >= kDevice && offset < sizeof(CommonConfig)) {
    write_address(queue.used, offset - kDevice, size, value);
  }
}

void VirtioPci::write_status(u8 value) {
  if (value == 0) return reset_device();
  // Bits are only ever added (2.1.1); NEEDS_RESET is the device's.
  const u8 before = status_;
  u8 added = static_cast<u8>(value & ~before & ~kStatusNeedsReset);
  if ((added & kStatusFeaturesOk) != 0) {
    const bool acceptable = (driver_features_ & ~offered_features()) == 0 && (driver_features_ & kFeatureVersion1) != 0;
    if (!acceptable) added = static_cast<u8>(added & ~kStatusFeaturesOk);
  }
  const u8 together = before | added;
  if ((together & kStatusFeaturesOk) == 0) added = static_cast<u8>(added & ~kStatusDriverOk);
  status_.fetch_or(added);
  if ((added & kStatusDriverOk) != 0) activate();
}

void VirtioPci::activate() {
  Activation activation;
  activation.features = driver_features_;
  activation.memory = &memory_;
  activation.driver = this;
  const char* broken = nullptr;
  for (const QueueState& state : queues_) {
    if (!state.enabled) {
      activation.queues.emplace_back();
      continue;
    }
    const QueueLayout layout{state.size,
                             state.descriptors,
                             state.available,
                             state.used,
                             (driver_features_ & kFeatureEventIndex) != 0,
                             (driver_features_ & kFeatureIndirect) != 0};
    const Queue& queue = activation.queues.emplace_back(memory_, layout);
    if (queue.broken()) broken = queue.broken_reason();
  }
  io_.loop().call([&] {
    device_->activate(std::move(activation));
    if (broken != nullptr) needs_reset(broken);
  });
  // Buffers may have been made available before DRIVER_OK (3.1.1), and drivers exist that notify then and never again: Linux
  // 5.10's of the entropy device.
  for (u64 i = 0; i < queues_.size(); ++i) {
    if (queues_[i].enabled) notify(i);
  }
}

// Under mutex_. The device has let go of guest memory when this returns, and only then does the
// driver read status zero (2.4.1).
void VirtioPci::reset_device() {
  io_.loop().call([this] {
    device_->reset();
    notified_ = 0;
    status_ = 0;
  });
  isr_ = 0;
  config_vector_ = kNoVector;
  device_feature_select_ = 0;
  driver_feature_select_ = 0;
  driver_features_ = 0;
  queue_select_ = 0;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    queues_[i] = {queues_[i].max_size, queues_[i].max_size, false, 0, 0, 0};
    queue_vectors_[i] = kNoVector;
  }
}

void VirtioPci::reset() {
  const std::lock_guard lock(mutex_);
  reset_device();
  msix_.reset();
  config_.write(kPciCommand, 2, 0);
  config_.write(static_cast<u16>(msix_capability_ + kMsixControl), 2, 0);
}

void VirtioPci::notify(u64 queue) {
  if (queue >= queue_vectors_.size()) return;
  const u64 bit = u64{1} << queue;
  if ((notified_.fetch_or(bit) & bit) != 0) return;  // the I/O thread is on its way
  const u64 one = 1;
  [[maybe_unused]] const auto ignored = ::write(queue_events_[queue].get(), &one, sizeof one);
}

// I/O thread.
void VirtioPci::on_queue_event(u16 queue) {
  u64 count = 0;
  [[maybe_unused]] const auto ignored = ::read(queue_events_[queue].get(), &count, sizeof count);
  notified_.fetch_and(~(u64{1} << queue));
  const u8 status = status_;
  if ((status & kStatusDriverOk) == 0 || (status & kStatusNeedsReset) != 0) return;
  device_->notify(queue);
}

void VirtioPci::notify_again(u16 queue) { notify(queue); }

void VirtioPci::notify_later(u16 queue) {
  constexpr u64 kDelayNs = 1'000'000'000;
  later_queues_ |= u64{1} << queue;
  later_->arm(kDelayNs);
}

void VirtioPci::notify_delayed() {
  for (u64 queues = std::exchange(later_queues_, 0); queues != 0; queues &= queues - 1) {
    notify(static_cast<u64>(std::countr_zero(queues)));
  }
}

void VirtioPci::queue_used(u16 queue) {
  isr_.fetch_or(kIsrQueue);
  msix_.signal(queue_vectors_[queue]);
}

void VirtioPci::config_changed() {
  config_generation_.fetch_add(1);
  isr_.fetch_or(kIsrConfig);
  msix_.signal(config_vector_);
}

void VirtioPci::needs_reset(const char* reason) {
  if ((status_.fetch_or(kStatusNeedsReset) & kStatusNeedsReset) != 0) return;
  if (++complaints_ <= kMaxComplaints) {
    log::warn("virtio device {} waits for a reset: {}", static_cast<unsigned>(device_->id()), reason);
  }
  config_changed();
}

}  // namespace pileus::virtio
