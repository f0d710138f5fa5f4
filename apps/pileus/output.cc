#include "output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace pileus::cli {
namespace {

constexpr std::size_t kBarWidth = 30;

std::size_t terminal_width() {
  constexpr std::size_t kUsual = 80;
  winsize size = {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsual;
  return size.ws_col;
}

std::string bar(double fraction) {
  const auto filled = static_cast<std::size_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(kBarWidth));
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] ";
}

}  // namespace

void print_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    std::printf("%s\n", line.c_str());
  }
}

std::string printable(std::string_view text) {
  std::string result;
  bool escape = false;
  for (const char c : text) {
    if (c == '\x1b') {
      escape = true;
    } else if (escape) {
      // A sequence ends with a letter; '[' and '(' begin one.
      escape = !((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
    } else if (c >= ' ' && c <= '~') {
      result += c;
    }
  }
  return result;
}

std::string last_printable_line(std::string_view text) {
  while (!text.empty()) {
    const std::size_t newline = text.rfind('\n');
    std::string line = printable(newline == std::string_view::npos ? text : text.substr(newline + 1));
    if (line.find_first_not_of(' ') != std::string::npos) return line;
    if (newline == std::string_view::npos) break;
    text = text.substr(0, newline);
  }
  return {};
}

ProgressLine::ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1), started_(std::chrono::steady_clock::now()) {}

void ProgressLine::update(const std::string& text, std::optional<double> fraction, const std::string& detail) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started_).count();
  if (!terminal_) {
    if (text != last_) std::fprintf(stderr, "%4llds  %s\n", static_cast<long long>(seconds), text.c_str());
    last_ = text;
    return;
  }
  std::string line = (fraction ? bar(*fraction) : "") + text + " (" + std::to_string(seconds) + " s)";
  if (!detail.empty()) line += "  " + detail;
  std::fprintf(stderr, "\r%s\x1b[K", line.substr(0, terminal_width() - 1).c_str());
  last_ = text;
}

void ProgressLine::clear() {
  if (terminal_ && !last_.empty()) std::fputs("\r\x1b[K", stderr);
  last_.clear();
}

}  // namespace pileus::cli
