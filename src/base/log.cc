#include "base/log.h"

#include <spdlog/spdlog.h>

#include <atomic>

namespace pileus::log {

namespace {
std::atomic<Level> current{Level::kInfo};

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kTrace: return spdlog::level::trace;
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
    case Level::kOff: return spdlog::level::off;
  }
  return spdlog::level::info;
}
}  // namespace

void set_level(Level level) {
  current.store(level, std::memory_order_relaxed);
  spdlog::set_level(to_spdlog(level));
}

Level level() { return current.load(std::memory_order_relaxed); }

void write(Level level, std::string_view line) { spdlog::log(to_spdlog(level), line); }

}  // namespace pileus::log
