// `pileus vm disk ...`
#pragma once

#include "base/result.h"
#include "command_line.h"
#include "image/library.h"

namespace pileus::cli {

Result<int> disk_attach(image::Library& library, const CommandLine& line);
Result<int> disk_detach(image::Library& library, const CommandLine& line);
Result<int> disk_list(image::Library& library, const CommandLine& line);
Result<int> disk_resize(image::Library& library, const CommandLine& line);
Result<int> disk_snapshot(image::Library& library, const CommandLine& line);
Result<int> disk_remove(image::Library& library, const CommandLine& line);

}  // namespace pileus::cli
