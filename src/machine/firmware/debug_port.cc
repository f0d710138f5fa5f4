#include "machine/firmware/debug_port.h"

#include "base/log.h"

namespace pileus::machine {

void DebugPort::write(u64 /*offset*/, unsigned /*size*/, u64 value) {
  const auto character = static_cast<char>(value);
  const std::scoped_lock lock(mutex_);
  if (written_ >= kMaxBytes) return;
  ++written_;
  const bool printable = character >= ' ' && character <= '~';
  if (printable) line_ += character;
  if (character != '\n' && line_.size() < kMaxLine) return;
  if (!line_.empty()) log::info("firmware: {}", line_);
  line_.clear();
}

}  // namespace pileus::machine
