// `pileus vm ...`
#pragma once

#include "base/result.h"
#include "command_line.h"
#include "image/library.h"

namespace pileus::cli {

// The exit status, or what went wrong.
Result<int> vm_run(image::Library& library, const CommandLine& line);
Result<int> vm_start(image::Library& library, const CommandLine& line);
Result<int> vm_wait(image::Library& library, const CommandLine& line);
Result<int> vm_list(image::Library& library, const CommandLine& line);
Result<int> vm_show(image::Library& library, const CommandLine& line);
Result<int> vm_ssh(image::Library& library, const CommandLine& line);
Result<int> vm_console(image::Library& library, const CommandLine& line);
Result<int> vm_stop(image::Library& library, const CommandLine& line);
Result<int> vm_kill(image::Library& library, const CommandLine& line);
Result<int> vm_reset(image::Library& library, const CommandLine& line);
Result<int> vm_nmi(image::Library& library, const CommandLine& line);
Result<int> vm_remove(image::Library& library, const CommandLine& line);
Result<int> vm_profile(image::Library& library, const CommandLine& line);
Result<int> vm_stats(image::Library& library, const CommandLine& line);

}  // namespace pileus::cli
