// IsaInterrupts: the wires of the ISA bus. Each leads to a pin of the IOAPIC and, on a board with legacy devices, to an
// input of the 8259A pair; software chooses which of them it listens to.
#pragma once

#include <array>

#include "guest/interrupt.h"
#include "machine/devices/ioapic.h"
#include "machine/layout.h"
#include "machine/legacy/pic.h"

namespace pileus::machine {

class IsaInterrupts {
 public:
  explicit IsaInterrupts(Ioapic& ioapic) {
    for (unsigned irq = 0; irq < lines_.size(); ++irq) {
      lines_[irq].irq = irq;
      lines_[irq].pin = &ioapic.line(irq == kIrqTimer ? kGsiTimer : irq);
    }
  }
  IsaInterrupts(const IsaInterrupts&) = delete;
  IsaInterrupts& operator=(const IsaInterrupts&) = delete;

  // Before any wire is set.
  void connect(PicPair& pic) {
    for (Line& line : lines_) line.pic = &pic;
  }
  guest::InterruptLine& line(unsigned irq) { return lines_[irq]; }

 private:
  struct Line : public guest::InterruptLine {
    void set(bool level) override {
      pin->set(level);
      if (pic != nullptr) pic->set_input(irq, level);
    }
    unsigned irq = 0;
    guest::InterruptLine* pin = nullptr;
    PicPair* pic = nullptr;
  };

  std::array<Line, PicPair::kInputs> lines_;
};

}  // namespace pileus::machine
