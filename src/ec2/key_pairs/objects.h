// Key pairs, for other groups of actions.
#pragma once

#include "ec2/call.h"

namespace pileus::ec2 {

// InvalidKeyPair.NotFound.
Reply<model::KeyPair> find_key_pair(const Call& call, const std::string& name);

}  // namespace pileus::ec2
