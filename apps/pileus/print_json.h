// What --json prints.
#pragma once

#include <nlohmann/json.hpp>

namespace pileus::cli {

void print_json(const nlohmann::json& value);

}  // namespace pileus::cli
