#include "cloud/session.h"

#include <algorithm>
#include <thread>

#include "interrupt.h"
#include "output.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::milliseconds kPoll{250};

InstanceInfo read_instance(const client::Node& node) {
  InstanceInfo info;
  info.id = node.text("instanceId");
  info.state = node.text("instanceState/name");
  info.reason = node.text("stateReason/message");
  info.image = node.text("imageId");
  info.type = node.text("instanceType");
  info.key = node.text("keyName");
  info.zone = node.text("placement/availabilityZone");
  info.private_address = node.text("privateIpAddress");
  info.public_address = node.text("ipAddress");
  info.launched = node.text("launchTime");
  for (const client::Node& tag : node.items("tagSet")) {
    if (tag.text("key") == "Name") info.name = tag.text("value");
  }
  info.node = node;
  return info;
}

// Whether a machine in `state` can still come to `wanted` by itself.
bool can_become(const std::string& state, const std::string& wanted) {
  if (state == "terminated") return false;
  if (state == "shutting-down") return wanted == "terminated";
  if (wanted == "running") return state == "pending";
  return true;
}

}  // namespace

std::filesystem::path cloud_folder(const image::Library& library) { return library.root() / "cloud"; }
std::filesystem::path client_settings_file(const image::Library& library) {
  return cloud_folder(library) / "client.json";
}

std::filesystem::path known_settings_file(const image::Library& library) {
  std::filesystem::path own = client_settings_file(library);
  std::error_code ignored;
  if (std::filesystem::exists(own, ignored)) return own;
  return cloud_folder(library) / "manager" / "client.json";  // of one that systemd started
}

Result<client::Cloud> open_cloud(const image::Library& library) {
  Result<client::Settings> settings = client::find_settings(known_settings_file(library));
  std::error_code ignored;
  if (!settings && settings.error().code() == ErrorCode::kNotFound && library.root() != image::kSystemFolder &&
      std::filesystem::exists(std::filesystem::path(image::kSystemFolder) / "cloud", ignored)) {
    return Error(ErrorCode::kNotFound,
                 settings.error().message() + "; this machine's own is root's: `sudo pileus ...`");
  }
  return client::Cloud::connect(TRY(std::move(settings)));
}

client::Parameters with_options(const CommandLine& line, client::Parameters parameters) {
  parameters.insert(line.cloud.parameters.begin(), line.cloud.parameters.end());
  return parameters;
}

Result<std::vector<InstanceInfo>> list_instances(const client::Cloud& cloud, bool with_terminated) {
  const std::vector<client::Answer> pages = TRY(cloud.pages("DescribeInstances", {{"MaxResults", "1000"}}));
  std::vector<InstanceInfo> result;
  for (const client::Answer& page : pages) {
    for (const client::Node& reservation : page.root.items("reservationSet")) {
      for (const client::Node& node : reservation.items("instancesSet")) {
        InstanceInfo info = read_instance(node);
        if (with_terminated || info.state != "terminated") result.push_back(std::move(info));
      }
    }
  }
  std::ranges::stable_sort(result, std::greater(), &InstanceInfo::launched);
  return result;
}

Result<InstanceInfo> find_instance(const client::Cloud& cloud, const std::string& text) {
  const std::vector<InstanceInfo> all = TRY(list_instances(cloud, true));
  std::vector<const InstanceInfo*> named;
  std::vector<const InstanceInfo*> ended;
  std::vector<const InstanceInfo*> begun;
  for (const InstanceInfo& info : all) {
    if (info.id == text) return info;
    if (info.name == text && info.state != "terminated") named.push_back(&info);
    // The newest of those that are gone: its reason may still be asked for.
    if (info.name == text && info.state == "terminated" && ended.empty()) ended.push_back(&info);
    if (text.starts_with("i-") && info.id.starts_with(text)) begun.push_back(&info);
  }
  const std::vector<const InstanceInfo*>& found = !named.empty() ? named : !ended.empty() ? ended : begun;
  if (found.size() == 1) return *found.front();
  if (found.empty()) {
    return Error(ErrorCode::kNotFound, "there is no instance '" + text + "': `pileus ps` shows those there are");
  }
  std::string ids;
  for (const InstanceInfo* info : found) ids += " " + info->id;
  return Error(ErrorCode::kInvalid, "'" + text + "' may be any of these:" + ids + ": give the id");
}

Result<std::string> unused_name(const client::Cloud& cloud, const std::string& stem) {
  const std::vector<InstanceInfo> all = TRY(list_instances(cloud, false));
  for (int number = 1;; ++number) {
    std::string name = stem + "-" + std::to_string(number);
    if (std::ranges::find(all, name, &InstanceInfo::name) == all.end()) return name;
  }
}

Result<InstanceInfo> wait_for_state(const client::Cloud& cloud, const InstanceInfo& instance, const std::string& state,
                                    std::chrono::seconds patience) {
  ProgressLine progress;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    InstanceInfo now = TRY(find_instance(cloud, instance.id));
    if (now.state == state) return now;
    if (!can_become(now.state, state)) {
      return Error(ErrorCode::kIo, instance.label() + " is " + now.state +
                                       (now.reason.empty() ? std::string() : ": " + printable(now.reason)));
    }
    if (interrupted()) return Error(ErrorCode::kBusy, "interrupted; " + instance.label() + " is " + now.state);
    if (std::chrono::steady_clock::now() >= deadline) {
      return Error(ErrorCode::kTimeout, instance.label() + " is still " + now.state + ": `pileus events " +
                                            instance.label() + "` shows what happened");
    }
    progress.update(instance.label() + " is " + now.state, {}, now.reason);
    std::this_thread::sleep_for(kPoll);
  }
}

}  // namespace pileus::cli
