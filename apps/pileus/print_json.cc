#include "print_json.h"

#include <cstdio>

namespace pileus::cli {

void print_json(const nlohmann::json& value) {
  std::printf("%s\n", value.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

}  // namespace pileus::cli
