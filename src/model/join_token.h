// A join token as the cloud knows it: by the hash of its secret, which lets machines become hosts until it expires.
#pragma once

#include "model/instance.h"

namespace pileus::model {

struct JoinToken {
  JoinTokenId id;           // the beginning of the hash: who shows the secret names the record
  std::string secret_hash;  // http::JoinToken::secret_hash()
  std::string made_by;      // an account's name, or a cloud manager
  bool once = false;        // good for one host
  u32 uses = 0;             // hosts that joined by it
  Millis created_at = 0;
  Millis expires_at = 0;
  Millis revoked_at = 0;  // 0: it was not
  bool operator==(const JoinToken&) const = default;
};

}  // namespace pileus::model
