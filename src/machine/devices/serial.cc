#include "machine/devices/serial.h"

namespace pileus::machine {

namespace {
// Registers (datasheet table II). The same offset means different things when read, written, or
// with DLAB set.
constexpr u64 kData = 0, kInterruptEnable = 1, kInterruptId = 2, kFifoControl = 2, kLineControl = 3;
constexpr u64 kModemControl = 4, kLineStatus = 5, kModemStatus = 6, kScratch = 7;

constexpr u8 kEnableReceive = 1, kEnableTransmit = 2, kEnableLineStatus = 4;
constexpr u8 kNoInterrupt = 1, kTransmitterEmpty = 2, kDataAvailable = 4, kLineStatusChanged = 6, kFifosOn = 0xC0;
constexpr u8 kFifoEnable = 1, kClearReceive = 2;
constexpr u8 kDivisorLatch = 0x80;
constexpr u8 kOut2 = 8, kLoop = 0x10;  // OUT2 gates the interrupt on a PC
constexpr u8 kDataReady = 1, kOverrun = 2, kHoldingEmpty = 0x20, kAllSent = 0x40;
constexpr u8 kReadyToReceive = 0xB0;  // CTS, DSR, DCD: somebody is there
}  // namespace

Serial::Serial(guest::CharBackend* backend, guest::InterruptLine& line) : backend_(backend), line_(line) {
  if (backend_ != nullptr) {
    backend_->set_input([this](std::span<const u8> data) { receive(data); });
  }
}

Serial::~Serial() {
  if (backend_ != nullptr) backend_->set_input({});
}

void Serial::receive(std::span<const u8> data) {
  const std::scoped_lock lock(mutex_);
  for (const u8 byte : data) {
    if (input_.size() >= kMaxInput) {
      overrun_ = true;
      break;
    }
    input_.push_back(byte);
  }
  update_line();
}

bool Serial::divisor_latched() const { return (line_control_ & kDivisorLatch) != 0; }

u64 Serial::read(u64 offset, unsigned /*size*/) {
  const std::scoped_lock lock(mutex_);
  const u8 value = read_register(offset);
  update_line();
  return value;
}

u8 Serial::read_register(u64 offset) {
  switch (offset) {
    case kData: return divisor_latched() ? static_cast<u8>(divisor_) : take_input();
    case kInterruptEnable: return divisor_latched() ? static_cast<u8>(divisor_ >> 8) : interrupt_enable_;
    case kInterruptId: {
      const u8 pending = pending_interrupt();
      if (pending == kTransmitterEmpty) transmitter_empty_pending_ = false;  // reading it is the acknowledgement
      return pending | (fifo_enabled_ ? kFifosOn : u8{0});
    }
    case kLineControl: return line_control_;
    case kModemControl: return modem_control_;
    case kLineStatus: {
      const u8 status = line_status();
      overrun_ = false;
      return status;
    }
    case kModemStatus: return modem_status();
    case kScratch: return scratch_;
    default: return 0xFF;
  }
}

void Serial::write(u64 offset, unsigned /*size*/, u64 value) {
  const auto byte = static_cast<u8>(value);
  bool send = false;
  {
    const std::scoped_lock lock(mutex_);
    send = offset == kData && !divisor_latched() && (modem_control_ & kLoop) == 0;
    write_register(offset, byte);
    if (!send) update_line();
  }
  if (!send) return;
  if (backend_ != nullptr) backend_->write({&byte, 1});
  const std::scoped_lock lock(mutex_);
  update_line();
}

void Serial::write_register(u64 offset, u8 value) {
  switch (offset) {
    case kData:
      if (divisor_latched()) {
        divisor_ = static_cast<u16>((divisor_ & 0xFF00) | value);
        break;
      }
      if ((modem_control_ & kLoop) != 0) loop_back(value);
      transmitter_empty_pending_ = true;
      break;
    case kInterruptEnable:
      if (divisor_latched()) {
        divisor_ = static_cast<u16>((divisor_ & 0xFF) | value << 8);
        break;
      }
      // Turning the interrupt on while the transmitter is empty raises it at once; drivers probe
      // for that.
      if ((value & ~interrupt_enable_ & kEnableTransmit) != 0) transmitter_empty_pending_ = true;
      interrupt_enable_ = value & 0x0F;
      break;
    case kFifoControl: write_fifo_control(value); break;
    case kLineControl: line_control_ = value; break;
    case kModemControl: modem_control_ = value & 0x1F; break;
    case kScratch: scratch_ = value; break;
    default: break;  // the status registers are read-only
  }
}

void Serial::write_fifo_control(u8 value) {
  const bool enable = (value & kFifoEnable) != 0;
  // Clearing right after enabling must not lose what people typed before the guest opened the port;
  // a FIFO of 16 bytes would have lost it, and nobody relies on that.
  if ((value & kClearReceive) != 0 && fifo_enabled_) overrun_ = false;
  fifo_enabled_ = enable;
}

u8 Serial::take_input() {
  if (input_.empty()) return 0;
  const u8 value = input_.front();
  input_.pop_front();
  return value;
}

void Serial::loop_back(u8 value) {
  if (input_.size() < kMaxInput) input_.push_back(value);
}

u8 Serial::line_status() const {
  u8 status = kHoldingEmpty | kAllSent;
  if (!input_.empty()) status |= kDataReady;
  if (overrun_) status |= kOverrun;
  return status;
}

// In loopback the modem outputs are wired to the inputs: DTR to DSR, RTS to CTS, OUT1 to RI, OUT2
// to DCD.
u8 Serial::modem_status() const {
  if ((modem_control_ & kLoop) == 0) return kReadyToReceive;
  const unsigned control = modem_control_;
  return static_cast<u8>((control & 1) << 5 | (control & 2) << 3 | (control & 4) << 4 | (control & 8) << 4);
}

// By priority (datasheet table IV).
u8 Serial::pending_interrupt() const {
  if (overrun_ && (interrupt_enable_ & kEnableLineStatus) != 0) return kLineStatusChanged;
  if (!input_.empty() && (interrupt_enable_ & kEnableReceive) != 0) return kDataAvailable;
  if (transmitter_empty_pending_ && (interrupt_enable_ & kEnableTransmit) != 0) return kTransmitterEmpty;
  return kNoInterrupt;
}

// The IOAPIC takes its lock under ours, never the other way round; the engine below it must not
// call back here.
void Serial::update_line() { line_.set(pending_interrupt() != kNoInterrupt && (modem_control_ & kOut2) != 0); }

void Serial::reset() {
  const std::scoped_lock lock(mutex_);
  input_.clear();
  overrun_ = transmitter_empty_pending_ = fifo_enabled_ = false;
  divisor_ = 12;
  interrupt_enable_ = line_control_ = modem_control_ = scratch_ = 0;
  update_line();
}

}  // namespace pileus::machine
