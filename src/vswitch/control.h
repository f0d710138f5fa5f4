// The control protocol of pileus-switchd (docs/formats/switch-control.md): one JSON object a line each way on a local socket.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/event_loop.h"
#include "os/line_server.h"
#include "vswitch/switch.h"

namespace pileus::vswitch {

inline constexpr std::size_t kMaxRequest = 64 * kMiB;
inline constexpr std::size_t kMaxReply = 1 * kMiB;

// The answering side, with a switch of its own. What was applied last is kept in the folder, and a new one begins with it:
// VMs have their network again before anybody else has come back.
class Controlled {
 public:
  // `folder` gets control.sock, config.json and the ports. Lives on the loop's thread: create it before that runs.
  static Result<std::unique_ptr<Controlled>> create(os::EventLoop& loop, const std::filesystem::path& folder);

 private:
  Controlled(std::filesystem::path folder, std::unique_ptr<Switch> made)
      : folder_(std::move(folder)), switch_(std::move(made)) {}
  std::string answer(std::string_view line);

  const std::filesystem::path folder_;
  const std::unique_ptr<Switch> switch_;
  std::unique_ptr<os::LineServer> server_;
};

// The asking side. What could not be done, by port; kNotFound when no switch runs.
Result<std::map<std::string, std::string>> apply_to_switch(const std::filesystem::path& folder, const Config& config);
// The reply to {"command": "stats"} as it comes.
Result<std::string> ask_switch_stats(const std::filesystem::path& folder);

}  // namespace pileus::vswitch
