// Sandbox: runs a program of this host where there is nothing to steal, by bubblewrap.
//
// The program reads files of strangers. It sees itself, the host's shared libraries, /dev/null and the two files that it is
// given: no other file, no process, no network, no variable of ours. It ends with the thread that runs it. What it can do
// to the host is to take the memory, the processor time and the room of one file that it is allowed.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "os/child_process.h"

namespace pileus::foreign {

struct Sandbox {
  static constexpr const char* kInput = "/input";
  static constexpr const char* kOutput = "/output";

  std::filesystem::path input;  // seen as kInput, read-only
  std::filesystem::path output;  // seen as kOutput, a file that is there; empty: none
  u64 output_limit = 0;  // bytes
  u64 address_space = 4 * kGiB;  // bytes; most of what qemu-img takes is room for the stacks of its threads
  std::chrono::seconds processor_time{60};
};

// Told what was printed so far, its end at least, several times a second; false: the program is ended, kGone.
using Watch = std::function<bool(std::string_view printed)>;

// To its end; argv[0] is a full path. kUnsupported: this host cannot make the sandbox, and nothing was run.
Result<os::Output> run_sandboxed(const Sandbox& sandbox, const std::vector<std::string>& argv, const Watch& watch = {});

}  // namespace pileus::foreign
