// migrate: an instance goes to another host, which is followed until it is there.
#include <cstdio>
#include <thread>

#include "cloud/commands.h"
#include "cloud/session.h"
#include "http/certificates.h"
#include "interrupt.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{500};
constexpr std::chrono::minutes kPatience{70};  // the cloud gives up after an hour

// Where it is, and where it goes.
struct Whereabouts {
  std::string host;
  std::string target;  // empty: it stays
};
Result<Whereabouts> where_is(const client::Cloud& cloud, const InstanceInfo& instance) {
  const client::Answer answer = TRY(cloud.call("PileusExplain", {{"InstanceId", instance.id}}));
  return Whereabouts{answer.root.text("hostId"), answer.root.text("targetHostId")};
}

// What happened to it last.
Result<std::string> last_event(const client::Cloud& cloud, const InstanceInfo& instance, const std::string& begin) {
  const client::Answer answer = TRY(cloud.call("PileusDescribeEvents", {{"ResourceId", instance.id}}));
  std::string text;
  for (const client::Node& event : answer.root.items("eventSet")) {
    const std::string what = event.text("what");
    if (what.starts_with(begin)) text = printable(what + ": " + event.text("why"));
  }
  return text;
}

// Until it is on `target`, and as it was before.
Result<> follow(const client::Cloud& cloud, const InstanceInfo& instance, const std::string& target) {
  ProgressLine progress;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    const Whereabouts now = TRY(where_is(cloud, instance));
    const InstanceInfo seen = TRY(find_instance(cloud, instance.id));
    if (now.host == target && now.target.empty() && seen.state == instance.state) return {};
    if (seen.state == "terminated") return Error(ErrorCode::kIo, instance.label() + " is terminated");
    if (now.host != target && now.target.empty()) {
      return Error(ErrorCode::kIo, instance.label() + " " + TRY(last_event(cloud, instance, "stays on")));
    }
    if (interrupted()) return Error(ErrorCode::kBusy, "interrupted; " + instance.label() + " goes on to " + target);
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error(ErrorCode::kTimeout, instance.label() + " is still " + seen.state + ": `pileus events " +
                                            instance.label() + "` shows what happened");
    }
    progress.update(instance.label() + " is " + seen.state + " on " + now.host +
                    (now.target.empty() ? "" : ", and goes to " + now.target));
    std::this_thread::sleep_for(kPoll);
  }
}

Result<int> cancel(const client::Cloud& cloud, const CommandLine& line, const InstanceInfo& instance) {
  const client::Answer answer =
      TRY(cloud.call("PileusMigrateInstance", {{"InstanceId", instance.id}, {"Cancel", "true"}}));
  const std::string host = answer.root.text("hostId");
  if (line.json) print_json({{"id", instance.id}, {"host", host}});
  else std::printf("%s stays on %s\n", instance.label().c_str(), host.c_str());
  return 0;
}

}  // namespace

Result<int> cloud_migrate(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const InstanceInfo instance = TRY(find_instance(cloud, line.name));
  if (line.migration.cancel) return cancel(cloud, line, instance);
  if (instance.state == "running" && !line.migration.reboot) {
    return Error(ErrorCode::kInvalid,
                 instance.label() +
                     " is running, and no instance is moved while it runs: stop it first, or let it "
                     "be shut down, moved and started again by --reboot");
  }
  const std::string client_token = TRY(http::random_hex(16));
  client::Parameters request = {{"InstanceId", instance.id}, {"ClientToken", client_token}};
  if (line.migration.reboot) request["Reboot"] = "true";
  if (!line.cloud.text.empty()) request["HostId"] = TRY(find_host(cloud, line.cloud.text));
  catch_interrupts();
  const client::Answer answer = TRY(cloud.call("PileusMigrateInstance", request));
  const std::string from = answer.root.text("hostId");
  const std::string to = answer.root.text("targetHostId");
  if (!line.cloud.no_wait) TRY(follow(cloud, instance, to));
  if (line.json) print_json({{"id", instance.id}, {"from", from}, {"to", to}, {"arrived", !line.cloud.no_wait}});
  else
    std::printf("%s %s from %s to %s\n", instance.label().c_str(), line.cloud.no_wait ? "goes" : "has moved",
                from.c_str(), to.c_str());
  return 0;
}

}  // namespace pileus::cli
