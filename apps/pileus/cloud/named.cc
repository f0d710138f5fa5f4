#include "cloud/named.h"

#include <algorithm>
#include <thread>

#include "output.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::minutes kPatience{10};
constexpr std::chrono::milliseconds kPause{300};

std::string standing(const std::string& id, const std::string& state, const std::string& progress) {
  return id + " is " + state + (progress.empty() ? "" : " (" + progress + ")");
}

}  // namespace

std::string name_of(const client::Node& object) {
  for (const client::Node& tag : object.items("tagSet")) {
    if (tag.text("key") == "Name") return tag.text("value");
  }
  return object.text("name");
}

Result<std::vector<client::Node>> list_objects(const client::Cloud& cloud, const Kind& kind,
                                               const client::Parameters& parameters) {
  std::vector<client::Node> objects;
  for (const client::Answer& page : TRY(cloud.pages(kind.describe, parameters))) {
    for (const client::Node& object : page.root.items(kind.set)) objects.push_back(object);
  }
  return objects;
}

Result<client::Node> find_object(const client::Cloud& cloud, const Kind& kind, const std::string& text) {
  std::vector<client::Node> found;
  for (const client::Node& object : TRY(list_objects(cloud, kind))) {
    if (object.text(kind.id) == text) return object;
    const bool named = name_of(object) == text || object.text(kind.id).starts_with(text);
    if (named && !text.empty()) found.push_back(object);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return Error(ErrorCode::kNotFound, "there is no " + std::string(kind.thing) + " '" + printable(text) + "': `" +
                                           kind.list + "` shows those there are");
  }
  return Error(ErrorCode::kInvalid, std::to_string(found.size()) + " " + kind.thing + "s are called '" +
                                        printable(text) + "': name one by its id");
}

Result<> wait_for(const client::Cloud& cloud, const Kind& kind, const std::string& id, const char* state,
                  const std::string& wanted, const std::string& failed) {
  ProgressLine progress;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < deadline) {
    const client::Node object = TRY(find_object(cloud, kind, id));
    const std::string now = object.text(state);
    if (now == wanted) return {};
    if (now == failed) {
      const std::string why = object.text("stateReason/message") + object.text("statusMessage");
      return Error(ErrorCode::kIo, std::string(kind.thing) + " " + id + " has failed: " + printable(why));
    }
    progress.update(standing(id, now, object.text("progress")));
    std::this_thread::sleep_for(kPause);
  }
  return Error(ErrorCode::kTimeout, std::string(kind.thing) + " " + id + " is not " + wanted + " after ten minutes: `" +
                                        kind.list + "` shows how it is");
}

}  // namespace pileus::cli
