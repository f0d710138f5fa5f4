// `pileus image ...`
#pragma once

#include "base/result.h"
#include "command_line.h"
#include "image/library.h"

namespace pileus::cli {

// The exit status, or what went wrong.
Result<int> image_build(image::Library& library, const CommandLine& line);
Result<int> image_list(image::Library& library, const CommandLine& line);
Result<int> image_show(image::Library& library, const CommandLine& line);
Result<int> image_remove(image::Library& library, const CommandLine& line);

}  // namespace pileus::cli
