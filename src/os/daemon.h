// What every daemon does at its start and end.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>

#include "base/result.h"
#include "os/file.h"

namespace pileus::os {

// A daemon's life once its options are read. SIGTERM, SIGINT and SIGHUP wait for wait_for_end() from then on, in all threads
// that are made, and SIGPIPE is ignored. The exit status; an error is told on standard error, as "PROGRAM: a sentence".
int run_daemon(const char* program, const std::function<Result<int>()>& serve);

// True: one of them came within the time.
bool wait_for_end(std::chrono::milliseconds time);

// Tells systemd, if it waits for that (Type=notify, sd_notify(3)), that the daemon serves.
void tell_ready();

// The lock of a file that also has our process id as its text, for whoever wants to end us. kBusy.
Result<FileLock> take_pid_file(const std::filesystem::path& file);

// Ends the process whose id is in that file, if it holds the file's lock, by SIGTERM: it is gone when
// this returns. kTimeout when it does not end.
Result<> end_daemon(const std::filesystem::path& pid_file, std::chrono::seconds patience);

}  // namespace pileus::os
