// Which key pair of an account has a name.
#pragma once

#include <string>

#include "http/uri.h"
#include "model/account.h"

namespace pileus::control {

// Its value is the id of the key pair.
inline std::string key_name_key(const model::AccountId& account, std::string_view name) {
  return "v1/key-names/" + account.text() + "/" + http::encode_uri(name);
}

}  // namespace pileus::control
