// Serial: a 16550A UART (National Semiconductor PC16550D datasheet). Speed and format are accepted
// and mean nothing: characters go to the backend at once, and arrive as fast as the guest reads
// them.
//
// Any thread. The backend's write() runs on the vCPU that sent the character, outside the lock.
#pragma once

#include <deque>
#include <mutex>

#include "guest/bus.h"
#include "guest/char_backend.h"
#include "guest/interrupt.h"

namespace pileus::machine {

class Serial : public guest::BusDevice {
 public:
  static constexpr u64 kPorts = 8;
  // Characters that wait for the guest; what comes beyond is lost and sets the overrun bit.
  static constexpr u64 kMaxInput = 64 * kKiB;

  // `backend` may be null: output is thrown away. Both must outlive the device.
  Serial(guest::CharBackend* backend, guest::InterruptLine& line);
  ~Serial() override;
  Serial(const Serial&) = delete;
  Serial& operator=(const Serial&) = delete;

  u64 read(u64 offset, unsigned size) override;
  void write(u64 offset, unsigned size, u64 value) override;
  void reset();

 private:
  void receive(std::span<const u8> data);
  u8 read_register(u64 offset);               // under mutex_
  void write_register(u64 offset, u8 value);  // under mutex_
  u8 take_input();                            // under mutex_
  void loop_back(u8 value);                   // under mutex_
  void write_fifo_control(u8 value);          // under mutex_
  u8 pending_interrupt() const;               // under mutex_: value of IIR bits 0-3
  u8 line_status() const;                     // under mutex_
  u8 modem_status() const;                    // under mutex_
  void update_line();                         // under mutex_
  bool divisor_latched() const;

  guest::CharBackend* const backend_;
  guest::InterruptLine& line_;

  std::mutex mutex_;  // guards all below
  std::deque<u8> input_;
  bool overrun_ = false;
  bool transmitter_empty_pending_ = false;
  bool fifo_enabled_ = false;
  u16 divisor_ = 12;  // 9600 baud
  u8 interrupt_enable_ = 0;
  u8 line_control_ = 0;
  u8 modem_control_ = 0;
  u8 scratch_ = 0;
};

}  // namespace pileus::machine
