// What comes after the request for instances: they are told of, and followed until people can log in.
#pragma once

#include <chrono>
#include <string>

#include "cloud/session.h"
#include "command_line.h"
#include "image/library.h"

namespace pileus::cli {

struct Launched {
  std::string name;
  std::string note;               // behind each: ", a copy of web"
  std::chrono::seconds patience;  // until they run
};

// `answer`: that of RunInstances. Waits unless --no-wait; prints ids, a table of how to log in, or JSON, as is wanted.
Result<int> follow_launch(image::Library& library, const client::Cloud& cloud, const CommandLine& line,
                          const client::Answer& answer, const Launched& launched);

}  // namespace pileus::cli
