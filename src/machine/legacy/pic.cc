#include "machine/legacy/pic.h"

namespace pileus::machine {

namespace {
constexpr u8 bit(unsigned input) { return static_cast<u8>(1U << input); }
// Inputs that are never level-triggered: timer, keyboard, cascade; RTC and coprocessor on the second chip.
constexpr std::array<u8, 2> kAlwaysEdge{0x07, 0x21};
constexpr u8 kSpurious = 7;
}  // namespace

void PicPair::Chip::set_input(unsigned input, bool level) {
  const bool was = (inputs & bit(input)) != 0;
  inputs = static_cast<u8>(level ? inputs | bit(input) : inputs & ~bit(input));
  if ((level_triggered & bit(input)) != 0) {
    requests = static_cast<u8>(level ? requests | bit(input) : requests & ~bit(input));
  } else if (level && !was) {
    requests |= bit(input);
  } else if (!level) {
    requests &= static_cast<u8>(~bit(input));  // the request has to stand until it is acknowledged
  }
}

int PicPair::Chip::first(u8 bits) const {
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned input = (lowest + 1u + i) & 7;
    if ((bits & bit(input)) != 0) return static_cast<int>(input);
  }
  return -1;
}

int PicPair::Chip::highest() const {
  if (!initialized) return -1;
  const int request = first(static_cast<u8>(requests & ~mask));
  if (request < 0) return -1;
  // In special mask mode what is masked does not hold back others; a master in special fully nested mode hears its
  // cascade input again while that is in service.
  u8 blocking = special_mask ? static_cast<u8>(in_service & ~mask) : in_service;
  if (special_nested) blocking &= static_cast<u8>(~bit(kCascade));
  const int service = first(blocking);
  if (service >= 0 && rank(static_cast<unsigned>(service)) <= rank(static_cast<unsigned>(request))) return -1;
  return request;
}

u8 PicPair::Chip::take(int input) {
  const auto number = static_cast<unsigned>(input);
  if ((level_triggered & bit(number)) == 0) requests &= static_cast<u8>(~bit(number));
  if (!auto_eoi) in_service |= bit(number);
  else if (rotate_on_auto_eoi) lowest = static_cast<u8>(number);
  return static_cast<u8>(vector_base + number);
}

void PicPair::Chip::end(unsigned input) { in_service &= static_cast<u8>(~bit(input)); }

void PicPair::Chip::end_highest(bool rotate) {
  const int service = first(in_service);
  if (service < 0) return;
  end(static_cast<unsigned>(service));
  if (rotate) lowest = static_cast<u8>(service);
}

void PicPair::update() {
  chips_[0].set_input(kCascade, chips_[1].highest() >= 0);
  const bool wanted = chips_[0].highest() >= 0;
  if (wanted == asserted_) return;
  asserted_ = wanted;
  if (output_ != nullptr) output_->set(wanted);
}

void PicPair::set_input(unsigned irq, bool level) {
  const std::scoped_lock lock(mutex_);
  chips_[irq / 8].set_input(irq % 8, level);
  update();
}

u8 PicPair::take_vector() {
  const int input = chips_[0].highest();
  if (input < 0) return static_cast<u8>(chips_[0].vector_base + kSpurious);
  const u8 vector = chips_[0].take(input);
  if (input != static_cast<int>(kCascade)) return vector;
  const int second = chips_[1].highest();
  if (second < 0) return static_cast<u8>(chips_[1].vector_base + kSpurious);
  return chips_[1].take(second);
}

u8 PicPair::acknowledge() {
  const std::scoped_lock lock(mutex_);
  const u8 vector = take_vector();
  update();
  return vector;
}

void PicPair::reset() {
  const std::scoped_lock lock(mutex_);
  for (Chip& chip : chips_) {
    const u8 inputs = chip.inputs;  // the wires stay as they are
    chip = Chip{};
    chip.inputs = inputs;
  }
  update();
}

// OCW2: end of interrupt, rotation.
void PicPair::write_operation2(Chip& chip, u8 value) {
  const unsigned input = value & 7;
  switch (value >> 5) {
    case 0: chip.rotate_on_auto_eoi = false; break;
    case 1: chip.end_highest(false); break;
    case 3: chip.end(input); break;
    case 4: chip.rotate_on_auto_eoi = true; break;
    case 5: chip.end_highest(true); break;
    case 6: chip.lowest = static_cast<u8>(input); break;
    case 7:
      chip.end(input);
      chip.lowest = static_cast<u8>(input);
      break;
    default: break;
  }
}

void PicPair::write_command(Chip& chip, u8 value) {
  if ((value & 0x10) != 0) {  // ICW1
    const u8 inputs = chip.inputs, level = chip.level_triggered;
    chip = Chip{};
    chip.inputs = inputs;
    chip.level_triggered = level;
    chip.requests = inputs & level;
    chip.mask = 0;
    chip.single = (value & 2) != 0;
    chip.wants_icw4 = (value & 1) != 0;
    chip.init_step = 2;
  } else if ((value & 8) != 0) {  // OCW3
    if ((value & 4) != 0) chip.poll = true;
    if ((value & 2) != 0) chip.read_in_service = (value & 1) != 0;
    if ((value & 0x40) != 0) chip.special_mask = (value & 0x20) != 0;
  } else {
    write_operation2(chip, value);
  }
}

void PicPair::write_data(Chip& chip, u8 value) {
  const auto done = [&] {
    chip.init_step = 0;
    chip.initialized = true;
  };
  switch (chip.init_step) {
    case 2:
      chip.vector_base = value & 0xF8;
      chip.init_step = chip.single ? 4 : 3;
      if (chip.single && !chip.wants_icw4) done();
      break;
    case 3:
      chip.init_step = 4;
      if (!chip.wants_icw4) done();
      break;
    case 4:
      chip.special_nested = (value & 0x10) != 0;
      chip.auto_eoi = (value & 2) != 0;
      done();
      break;
    default: chip.mask = value;
  }
}

u8 PicPair::read_port(unsigned number, u64 offset) {
  Chip& chip = chips_[number];
  if (chip.poll) {
    chip.poll = false;
    const int input = chip.highest();
    if (input < 0) return 0;
    chip.take(input);
    update();
    return static_cast<u8>(0x80 | input);
  }
  if (offset == 1) return chip.mask;
  return chip.read_in_service ? chip.in_service : chip.requests;
}

u64 PicPair::Ports::read(u64 offset, unsigned /*size*/) {
  const std::scoped_lock lock(pair_.mutex_);
  return pair_.read_port(chip_, offset);
}

void PicPair::Ports::write(u64 offset, unsigned /*size*/, u64 value) {
  const std::scoped_lock lock(pair_.mutex_);
  Chip& chip = pair_.chips_[chip_];
  if (offset == 0) pair_.write_command(chip, static_cast<u8>(value));
  else pair_.write_data(chip, static_cast<u8>(value));
  pair_.update();
}

u64 PicPair::LevelPorts::read(u64 offset, unsigned /*size*/) {
  const std::scoped_lock lock(pair_.mutex_);
  return pair_.chips_[offset].level_triggered;
}

void PicPair::LevelPorts::write(u64 offset, unsigned /*size*/, u64 value) {
  const std::scoped_lock lock(pair_.mutex_);
  Chip& chip = pair_.chips_[offset];
  chip.level_triggered = static_cast<u8>(value) & static_cast<u8>(~kAlwaysEdge[offset]);
  chip.requests = static_cast<u8>((chip.requests & ~chip.level_triggered) | (chip.inputs & chip.level_triggered));
  pair_.update();
}

}  // namespace pileus::machine
