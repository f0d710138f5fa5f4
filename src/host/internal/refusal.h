// What the cloud said of a request that it refused.
#pragma once

#include <string>

#include "base/result.h"

namespace pileus::host {

// Of an answer with a status other than 200: its JSON member "error", if it has one.
Error refusal(int status, const std::string& body);

}  // namespace pileus::host
