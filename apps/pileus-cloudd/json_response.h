// What hosts are answered.
#pragma once

#include <string>

#include "http/message.h"

namespace pileus::cloudd {

inline http::Response json_response(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = std::move(body);
  return response;
}

}  // namespace pileus::cloudd
