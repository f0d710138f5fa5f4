// Logging: so that a log line looks the same in every program. Format strings are checked when compiled.
//
// spdlog does the work, in log.cc alone: its headers are heavy.
#pragma once

#include <fmt/core.h>

#include <string_view>

namespace pileus::log {

enum class Level { kTrace, kDebug, kInfo, kWarn, kError, kOff };

// Lines below `level` are dropped. The default is kInfo. Any thread.
void set_level(Level level);
Level level();
void write(Level level, std::string_view line);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (level() <= Level::kDebug) write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (level() <= Level::kInfo) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  if (level() <= Level::kWarn) write(Level::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (level() <= Level::kError) write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace pileus::log
