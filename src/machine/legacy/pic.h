// PicPair: the two interrupt controllers of a PC (Intel 8259A datasheet), the second behind input 2 of the first, with
// the edge/level registers of later chipsets (ports 0x4D0, 0x4D1).
//
// Any thread. The output is set under the lock, so that its levels come in order.
#pragma once

#include <array>
#include <mutex>

#include "engine/engine.h"
#include "guest/bus.h"
#include "guest/interrupt.h"

namespace pileus::machine {

class PicPair : public engine::ExtIntSource {
 public:
  static constexpr unsigned kInputs = 16;

  PicPair() = default;
  PicPair(const PicPair&) = delete;
  PicPair& operator=(const PicPair&) = delete;

  // INTR, to the processor. Set before any input is.
  void set_output(guest::InterruptLine* output) { output_ = output; }
  void set_input(unsigned irq, bool level);
  u8 acknowledge() override;
  void reset();

  // Two ports each; for the edge/level registers one port each.
  guest::BusDevice& command_ports(unsigned chip) { return ports_[chip]; }
  guest::BusDevice& level_ports() { return level_; }

 private:
  struct Chip {
    u8 inputs = 0, requests = 0, in_service = 0, mask = 0xFF;
    u8 level_triggered = 0;  // by the edge/level register
    u8 vector_base = 0;
    u8 lowest = 7;      // the input of lowest priority; the next one has the highest
    u8 init_step = 0;   // the ICW that is expected; 0: none
    bool single = false, wants_icw4 = false;
    bool initialized = false;
    bool auto_eoi = false, rotate_on_auto_eoi = false;
    bool special_mask = false, special_nested = false;
    bool read_in_service = false, poll = false;

    void set_input(unsigned input, bool level);
    int highest() const;         // the request that is to be delivered; -1: none
    u8 take(int input);          // acknowledges it
    void end(unsigned input);
    void end_highest(bool rotate);
    unsigned rank(unsigned input) const { return (input + 15u - lowest) & 7; }  // 0 is the highest
    int first(u8 bits) const;    // of these inputs, the one of highest priority
  };
  class Ports : public guest::BusDevice {
   public:
    Ports(PicPair& pair, unsigned chip) : pair_(pair), chip_(chip) {}
    u64 read(u64 offset, unsigned size) override;
    void write(u64 offset, unsigned size, u64 value) override;

   private:
    PicPair& pair_;
    const unsigned chip_;
  };
  class LevelPorts : public guest::BusDevice {
   public:
    explicit LevelPorts(PicPair& pair) : pair_(pair) {}
    u64 read(u64 offset, unsigned size) override;
    void write(u64 offset, unsigned size, u64 value) override;

   private:
    PicPair& pair_;
  };

  static constexpr unsigned kCascade = 2;
  u8 read_port(unsigned chip, u64 offset);               // under mutex_
  void write_command(Chip& chip, u8 value);              // under mutex_
  void write_data(Chip& chip, u8 value);                 // under mutex_
  static void write_operation2(Chip& chip, u8 value);    // under mutex_
  void update();                                         // under mutex_
  u8 take_vector();                                      // under mutex_

  guest::InterruptLine* output_ = nullptr;
  std::array<Ports, 2> ports_{Ports(*this, 0), Ports(*this, 1)};
  LevelPorts level_{*this};

  std::mutex mutex_;
  std::array<Chip, 2> chips_;  // guarded by mutex_
  bool asserted_ = false;      // the output; guarded by mutex_
};

}  // namespace pileus::machine
