// The web console, as commands tell of it.
#pragma once

#include <string>

#include "client/settings.h"

namespace pileus::cli {

// "http://127.0.0.1:8773/console/"; empty when this cloud has none or does not answer.
std::string console_address(const client::Settings& settings);

}  // namespace pileus::cli
