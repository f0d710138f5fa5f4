// Port: one port of the adapter: its registers, the commands in its list, and the device at the end of its cable.
//
//  1. Registers are accessed by vCPU threads, work() runs on the I/O thread; each holds the adapter's lock, but while a command
//     is executed nobody does.
//  2. What a driver has to wait for anyhow happens on the I/O thread, between two commands: the list stops (PxCMD.CR), FISes
//     are received no more (PxCMD.FR), the device is reset. So nothing touches the guest's memory once that is told.
//  3. An error stops the list until the driver has cleared PxCMD.ST (AHCI 1.3.1, 6.2.2).
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "ahci/device.h"
#include "ahci/registers.h"
#include "guest/memory.h"

namespace pileus::ahci {

class Port {
 public:
  // Both must outlive it.
  Port(guest::GuestMemory& memory, std::mutex& lock) : memory_(memory), lock_(lock) {}

  // With the lock held. `offset` is a multiple of 4.
  u32 read(u64 offset) const;
  // True: the I/O thread has something to do.
  bool write(u64 offset, u32 value);
  bool wants_interrupt() const { return (read(kPxIs) & enabled_) != 0; }

  // On the I/O thread, with the lock held.
  void plug(std::unique_ptr<Device> device);
  std::unique_ptr<Device> unplug();
  // As the adapter's reset leaves it; where the lists are stays as it was.
  void reset();
  void power_on();

  // On the I/O thread without the lock: what was asked for between commands, then one command. False: there was none.
  bool step();
  // Whether commands wait for room; to be tried again in a while.
  bool keeps_commands() const { return kept_ != 0; }
  void retry_kept() { kept_ = 0; }

 private:
  // A command of the list, copied from the guest's memory.
  struct Issued {
    u32 slot = 0;
    guest::Gpa header = 0;
    Command command{};
    std::optional<Transfer> data;
  };
  enum class Fetched { kOk, kNoMemory, kNoCommand };

  bool write_command(u32 value);
  bool write_control(u32 value);
  // These on the I/O thread; with the lock held, but for fetch().
  void settle();
  void connect();
  void sign();
  std::optional<u32> next_slot() const;
  Fetched fetch(guest::Gpa list, u32 slot, Issued& issued) const;
  void stop_by(u32 interrupt);
  void finish_control(const Issued& issued);
  void finish(const Issued& issued, const Outcome& outcome);
  void keep(const Issued& issued);
  void receive(u64 at, std::span<const u8> fis);

  guest::GuestMemory& memory_;
  std::mutex& lock_;
  std::unique_ptr<Device> device_;  // used on the I/O thread; may be null

  u64 list_ = 0, received_ = 0;  // addresses
  u32 status_ = 0, enabled_ = 0;  // interrupts
  u32 command_ = 0;
  u32 task_file_ = 0, signature_ = 0;
  u32 control_ = 0, errors_ = 0;
  u32 active_ = 0, issued_ = 0;  // PxSACT, PxCI
  u32 kept_ = 0;  // of issued_: wait for room
  bool connected_ = false;
  bool stop_asked_ = false, reset_asked_ = false;
  bool halted_ = false;  // by an error
  bool resetting_ = false;  // between the two FISes of a software reset
};

}  // namespace pileus::ahci
