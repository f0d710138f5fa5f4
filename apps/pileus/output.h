// What people see: tables, progress, and text from a guest made harmless.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pileus::cli {

// Columns are as wide as their widest cell; the first row is the heading.
void print_table(const std::vector<std::vector<std::string>>& rows);

// Only what is printable in `text`: no control characters, no escape sequences.
std::string printable(std::string_view text);

// The last line of `text` that has something to read, made printable; empty if none has.
std::string last_printable_line(std::string_view text);

// Progress on standard error: one line that is drawn over on a terminal, plain lines elsewhere.
class ProgressLine {
 public:
  ProgressLine();
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `detail` (say, the guest's last line) is shown on a terminal only. `fraction`: 0 to 1, if
  // known.
  void update(const std::string& text, std::optional<double> fraction = {}, const std::string& detail = "");
  // Takes the line off a terminal.
  void clear();

 private:
  bool terminal_;
  std::string last_;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace pileus::cli
