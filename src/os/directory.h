// The names in folders.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace pileus::os {

// Makes the names in a folder durable: what was made, renamed or removed there.
Result<> sync_directory(const std::filesystem::path& path);

}  // namespace pileus::os
