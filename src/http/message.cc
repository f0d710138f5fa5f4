#include "http/message.h"

#include <strings.h>

namespace pileus::http {

const std::string* Headers::find(std::string_view name) const {
  for (const auto& [each, value] : list_) {
    if (each.size() == name.size() && ::strncasecmp(each.data(), name.data(), name.size()) == 0) return &value;
  }
  return nullptr;
}

std::string_view Headers::get(std::string_view name) const {
  const std::string* found = find(name);
  return found == nullptr ? std::string_view() : std::string_view(*found);
}

Response text_response(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = text;
  response.body += '\n';
  return response;
}

}  // namespace pileus::http
