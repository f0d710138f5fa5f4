#include "ahci/port.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace pileus::ahci {

namespace {

constexpr u32 kListAlignment = 1024, kReceivedAlignment = 256, kTableAlignment = 128;
constexpr u32 kNoDevice = 0x7F;             // what PxTFD holds without one
constexpr u32 kNoSignature = 0xFFFFFFFF;

// 4.2.2.
struct CommandHeader {
  u16 flags;
  u16 regions;
  u32 bytes_done;
  u64 table;
  u32 reserved[4];
};
static_assert(sizeof(CommandHeader) == 32);
constexpr u64 kBytesDoneAt = 4;

// 4.2.3.
constexpr u64 kPacketAt = 0x40, kRegionsAt = 0x80;
constexpr std::size_t kPacketBytes = 12;

void set_low(u64& address, u32 value, u32 alignment) { address = (address >> 32 << 32) | (value & ~(alignment - 1)); }
void set_high(u64& address, u32 value) { address = (address & 0xFFFFFFFF) | u64{value} << 32; }

}  // namespace

u32 Port::read(u64 offset) const {
  switch (offset) {
    case kPxClb: return static_cast<u32>(list_);
    case kPxClbu: return static_cast<u32>(list_ >> 32);
    case kPxFb: return static_cast<u32>(received_);
    case kPxFbu: return static_cast<u32>(received_ >> 32);
    case kPxIs:
      return status_ | ((errors_ & kErrExchanged) != 0 ? kIntConnect : 0) |
             ((errors_ & kErrPhyReadyChanged) != 0 ? kIntPhyReady : 0);
    case kPxIe: return enabled_;
    case kPxCmd: return command_ | kCmdSpinUp | kCmdPowerOn | kCmdHotPlug;
    case kPxTfd: return task_file_;
    case kPxSig: return signature_;
    case kPxSsts: {
      if ((control_ & kDetectMask) == kDetectOff) return kDetectOff;
      const u32 limit = control_ >> kSpeedShift & 0xF;
      const u32 speed = limit == 0 ? kFastest : std::min(limit, kFastest);
      return connected_ && !reset_asked_ ? kPowerActive | speed << kSpeedShift | kDetectThere : 0;
    }
    case kPxSctl: return control_;
    case kPxSerr: return errors_;
    case kPxSact: return active_;
    case kPxCi: return issued_;
    default: return 0;
  }
}

bool Port::write(u64 offset, u32 value) {
  switch (offset) {
    case kPxClb: set_low(list_, value, kListAlignment); return false;
    case kPxClbu: set_high(list_, value); return false;
    case kPxFb: set_low(received_, value, kReceivedAlignment); return false;
    case kPxFbu: set_high(received_, value); return false;
    case kPxIs: status_ &= ~value; return false;
    case kPxIe: enabled_ = value & kIntAll; return false;
    case kPxCmd: return write_command(value);
    case kPxSctl: return write_control(value);
    case kPxSerr: errors_ &= ~value; return false;
    // Bits are only added, and only while the list is processed (3.3.13, 3.3.14).
    case kPxSact:
      if ((command_ & kCmdStart) != 0) active_ |= value;
      return false;
    case kPxCi:
      if ((command_ & kCmdStart) == 0) return false;
      issued_ |= value;
      return true;
    default: return false;
  }
}

bool Port::write_command(u32 value) {
  constexpr u32 kWritable = kCmdStart | kCmdReceive | kCmdAtapi;
  const u32 gone = command_ & ~value;
  command_ = (command_ & ~kWritable) | (value & kWritable);
  if ((value & kCmdStart) != 0) command_ |= kCmdRunning;
  if ((value & kCmdReceive) != 0) command_ |= kCmdReceiving;
  if ((value & kCmdListOverride) != 0) task_file_ &= ~u32{kStatusBusy | kStatusData};
  stop_asked_ |= (gone & kCmdStart) != 0;
  return (gone & (kCmdStart | kCmdReceive)) != 0;
}

bool Port::write_control(u32 value) {
  control_ = value & 0xFFF;
  reset_asked_ |= (value & kDetectMask) == kDetectReset;
  return true;
}

void Port::plug(std::unique_ptr<Device> device) {
  device_ = std::move(device);
  connect();
}

std::unique_ptr<Device> Port::unplug() {
  connected_ = false;
  errors_ |= kErrPhyReadyChanged;
  task_file_ = kNoDevice;
  signature_ = kNoSignature;
  kept_ = 0;
  device_->set_waiting(false);
  return std::move(device_);
}

void Port::power_on() {
  list_ = received_ = 0;
  reset();
}

// A device comes back by itself: no spin-up is left to the driver (3.1.1, CAP.SSS).
void Port::reset() {
  status_ = enabled_ = command_ = control_ = errors_ = active_ = issued_ = kept_ = 0;
  stop_asked_ = reset_asked_ = halted_ = resetting_ = connected_ = false;
  task_file_ = kNoDevice;
  signature_ = kNoSignature;
  if (device_ == nullptr) return;
  device_->reset();
  device_->set_waiting(false);
  connect();
}

void Port::connect() {
  connected_ = true;
  errors_ |= kErrExchanged;
  sign();
}

// What a device sends after a reset.
void Port::sign() {
  const DeviceState state = device_->signature();
  signature_ = static_cast<u32>(state.lba << 8 | state.count);
  task_file_ = u32{state.error} << 8 | state.status;
  receive(kRegistersAt, encode_registers(state, false));
}

void Port::receive(u64 at, std::span<const u8> fis) {
  if ((command_ & kCmdReceiving) == 0) return;
  if (!memory_.write(received_ + at, fis)) stop_by(kIntHostBus);
}

void Port::stop_by(u32 interrupt) {
  status_ |= interrupt;
  halted_ = true;
}

void Port::settle() {
  if (stop_asked_) {
    active_ = issued_ = kept_ = 0;
    halted_ = stop_asked_ = false;
    if (device_) device_->set_waiting(false);
  }
  if ((command_ & kCmdStart) == 0) command_ &= ~kCmdRunning;
  if ((command_ & kCmdReceive) == 0) command_ &= ~kCmdReceiving;
  if (std::exchange(reset_asked_, false)) {
    connected_ = resetting_ = false;
    task_file_ = kNoDevice;
    if (device_) device_->reset();
  }
  if (device_ && !connected_ && (control_ & kDetectMask) == 0) connect();
}

// From the one behind the last one on, so that none waits for ever.
std::optional<u32> Port::next_slot() const {
  const u32 ready = issued_ & ~kept_;
  if (ready == 0 || halted_ || !connected_ || (command_ & kCmdStart) == 0) return std::nullopt;
  // A device is busy with a command that it keeps, unless that is a queued one.
  if (kept_ != 0 && (task_file_ & kStatusBusy) != 0) return std::nullopt;
  const u32 after = (command_ >> kCmdSlotShift & 0x1F) + 1;
  return (after + static_cast<u32>(std::countr_zero(std::rotr(ready, static_cast<int>(after))))) % kSlots;
}

bool Port::step() {
  Issued issued;
  guest::Gpa list = 0;
  {
    const std::lock_guard lock(lock_);
    settle();
    const std::optional<u32> slot = next_slot();
    if (!slot) return false;
    issued.slot = *slot;
    list = list_;
    command_ = (command_ & ~(u32{0x1F} << kCmdSlotShift)) | *slot << kCmdSlotShift;
  }
  const Fetched fetched = fetch(list, issued.slot, issued);
  std::optional<Outcome> outcome;
  const bool is_command = fetched == Fetched::kOk && issued.command.registers.is_command;
  if (is_command) outcome = device_->execute(issued.command, *issued.data);
  const std::lock_guard lock(lock_);
  if (fetched == Fetched::kNoMemory) stop_by(kIntHostBus);
  else if (fetched == Fetched::kNoCommand) stop_by(kIntInterface);
  else if (!is_command) finish_control(issued);
  else if (outcome) finish(issued, *outcome);
  else keep(issued);
  if (device_) device_->set_waiting(kept_ != 0);
  return true;
}

Port::Fetched Port::fetch(guest::Gpa list, u32 slot, Issued& issued) const {
  issued.header = list + u64{slot} * sizeof(CommandHeader);
  std::array<u8, sizeof(CommandHeader)> raw{};
  if (!memory_.read(issued.header, raw)) return Fetched::kNoMemory;
  const auto header = std::bit_cast<CommandHeader>(raw);
  const guest::Gpa table = align_down(header.table, kTableAlignment);
  std::array<u8, kRegisterFisBytes> fis{};
  if (!memory_.read(table, fis) ||
      !memory_.read(table + kPacketAt, std::span(issued.command.packet).first(kPacketBytes))) {
    return Fetched::kNoMemory;
  }
  const auto registers = decode_registers(fis);
  if (!registers) return Fetched::kNoCommand;
  issued.command.registers = *registers;
  issued.data = Transfer::read(memory_, table + kRegionsAt, header.regions);
  return issued.data ? Fetched::kOk : Fetched::kNoMemory;
}

// A software reset: the bit is set by one FIS and cleared by the next, which the device answers (ATA8-ACS, 9.2).
void Port::finish_control(const Issued& issued) {
  issued_ &= ~(u32{1} << issued.slot);
  const bool was_resetting = std::exchange(resetting_, (issued.command.registers.control & kControlReset) != 0);
  if (resetting_) {
    task_file_ = kStatusBusy;
  } else if (was_resetting) {
    device_->reset();
    sign();
  }
}

void Port::finish(const Issued& issued, const Outcome& outcome) {
  using Told = Outcome::Told;
  const DeviceState& state = outcome.state;
  task_file_ = u32{state.error} << 8 | state.status;
  // A command by registers that fails stays in the list: by it the driver knows which one it was (6.2.2.1).
  const bool queued = outcome.told == Told::kSetBits;
  if (queued || !outcome.failed()) issued_ &= ~(u32{1} << issued.slot);
  if (queued) {
    const u32 done = outcome.failed() ? 0 : u32{1} << outcome.tag;
    active_ &= ~done;
    receive(kSetBitsAt, encode_set_bits(state.status, state.error, done));
    status_ |= kIntSetBits;
  } else {
    const auto bytes = std::bit_cast<std::array<u8, sizeof(u32)>>(static_cast<u32>(outcome.bytes));
    if (!memory_.write(issued.header + kBytesDoneAt, bytes)) stop_by(kIntHostBus);
    if (outcome.told == Told::kPioSetup) {
      receive(kPioSetupAt, encode_pio_setup(state, static_cast<u16>(std::min<u64>(outcome.bytes, 0xFFFE))));
      status_ |= kIntPioSetup;
    } else {
      receive(kRegistersAt, encode_registers(state, true));
      status_ |= kIntRegisters;
    }
  }
  if (outcome.failed()) stop_by(kIntTaskFile);
}

void Port::keep(const Issued& issued) {
  kept_ |= u32{1} << issued.slot;
  const u8 command = issued.command.registers.command;
  if (command != kReadQueued && command != kWriteQueued) task_file_ = kStatusBusy | kStatusIdle;
}

}  // namespace pileus::ahci
