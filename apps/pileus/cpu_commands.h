// `pileus cpu ...`
#pragma once

#include "base/result.h"
#include "command_line.h"
#include "image/library.h"

namespace pileus::cli {

Result<int> cpu_list(image::Library& library, const CommandLine& line);

}  // namespace pileus::cli
