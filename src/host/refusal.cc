#include <nlohmann/json.hpp>

#include "host/internal/refusal.h"

namespace pileus::host {

Error refusal(int status, const std::string& body) {
  const auto object = nlohmann::json::parse(body, nullptr, false);
  std::string why = "the cloud answered " + std::to_string(status);
  if (object.is_object() && object.contains("error") && object["error"].is_string()) {
    why = object["error"].get<std::string>();
  }
  const ErrorCode code = status == 403   ? ErrorCode::kPermission
                         : status == 404 ? ErrorCode::kNotFound
                         : status == 400 ? ErrorCode::kInvalid
                                         : ErrorCode::kIo;
  return {code, why};
}

}  // namespace pileus::host
