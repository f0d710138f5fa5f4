// Logging: thin names over spdlog, so that a log line looks the same in every program.
#pragma once

#include <spdlog/spdlog.h>

namespace pileus::log {
using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::trace;
using spdlog::warn;
}  // namespace pileus::log
