// logs: what an instance printed on its console, and what it goes on to print.
#include <cstdio>
#include <thread>

#include "cloud/commands.h"
#include "cloud/new_text.h"
#include "cloud/session.h"
#include "http/base64.h"
#include "interrupt.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{1000};

Result<std::string> console_of(const client::Cloud& cloud, const std::string& id) {
  const client::Answer answer = TRY(cloud.call("GetConsoleOutput", {{"InstanceId", id}}));
  std::optional<std::string> text = http::decode_base64(answer.root.text("output"));
  if (!text) return Error(ErrorCode::kCorrupt, "the console's output cannot be read");
  return *std::move(text);
}

}  // namespace

Result<int> cloud_logs(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const InstanceInfo instance = TRY(find_instance(cloud, line.name));
  if (line.cloud.follow) catch_interrupts();
  std::string seen;
  while (true) {
    std::string now = TRY(console_of(cloud, instance.id));
    const std::string_view fresh = new_text(seen, now);
    std::fwrite(fresh.data(), 1, fresh.size(), stdout);
    std::fflush(stdout);
    if (!now.empty()) seen = std::move(now);
    if (!line.cloud.follow || interrupted()) return 0;
    const InstanceInfo state = TRY(find_instance(cloud, instance.id));
    if (state.state == "terminated") {
      std::fputs("the instance is terminated\n", stderr);
      return 0;
    }
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace pileus::cli
