// The names in folders, and whose folders are.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace pileus::os {

// Makes the names in a folder durable: what was made, renamed or removed there.
Result<> sync_directory(const std::filesystem::path& path);

// Gives a folder and the files in it, no deeper, to the owner of the folder that it is in: what root makes in the library of a
// service is then that service's to read. The owner may not yet have been able to enter the folder (mode 0700), so that
// nothing in it is a link of theirs to somebody else's file. Does nothing when it is the same owner already.
Result<> give_to_owner_of_parent(const std::filesystem::path& folder);

}  // namespace pileus::os
