// An instance as --json prints it.
#pragma once

#include <nlohmann/json.hpp>

#include "cloud/session.h"

namespace pileus::cli {

nlohmann::json to_json(const InstanceInfo& info);

}  // namespace pileus::cli
