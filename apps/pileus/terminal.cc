#include "terminal.h"

#include <unistd.h>

#include <array>

namespace pileus::cli {
namespace {

constexpr char kLeave = 0x1d;  // Ctrl-]

}  // namespace

RawTerminal::RawTerminal() {
  if (::isatty(STDIN_FILENO) != 1 || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
  termios raw = before_;
  ::cfmakeraw(&raw);
  changed_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

RawTerminal::~RawTerminal() {
  if (changed_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

std::optional<Keys> read_keys() {
  std::array<char, 512> buffer;
  const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return {};
  const std::string_view typed(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  const std::size_t leave = typed.find(kLeave);
  return Keys{std::string(typed.substr(0, leave)), got <= 0 || leave != std::string_view::npos};
}

}  // namespace pileus::cli
