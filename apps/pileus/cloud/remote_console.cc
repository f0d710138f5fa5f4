#include "cloud/remote_console.h"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "client/events.h"
#include "http/base64.h"
#include "http/client.h"
#include "interrupt.h"
#include "os/file.h"
#include "terminal.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::seconds kPatience{60};  // the cloud says something more often
constexpr int kPollMs = 200;
constexpr std::chrono::milliseconds kOpening{20};

struct Progress {
  std::atomic<bool> open{false};  // keys may be sent
  std::atomic<bool> over{false};
};

// Shows output until the console is over.
Result<> show(http::ClientStream& stream, Progress& progress) {
  client::EventReader events;
  while (true) {
    const std::optional<std::string> part = TRY(stream.read(kPatience));
    if (!part) return {};
    if (stream.status() != 200) return Error(ErrorCode::kIo, "the cloud does not open the console: " + *part);
    if (part->empty()) return Error(ErrorCode::kTimeout, "the cloud says nothing any more");
    if (!events.append(*part)) return Error(ErrorCode::kCorrupt, "the console's output cannot be read");
    while (const std::optional<client::Event> event = events.next()) {
      if (event->name == "hello") progress.open = true;
      if (event->name == "ended") return {};
      if (event->name != "output") continue;
      const std::optional<std::string> bytes = http::decode_base64(event->data);
      if (!bytes) return Error(ErrorCode::kCorrupt, "the console's output cannot be read");
      TRY(os::write_all(STDOUT_FILENO, *bytes));
    }
  }
}

// Passes keys on until the person leaves (true) or the console is over.
Result<bool> pass_keys(const client::Cloud& cloud, const InstanceInfo& instance, const Progress& progress) {
  pollfd entry = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  while (!progress.open && !progress.over && !interrupted()) std::this_thread::sleep_for(kOpening);
  while (!progress.over && !interrupted()) {
    if (::poll(&entry, 1, kPollMs) <= 0) continue;
    const std::optional<Keys> keys = read_keys();
    if (!keys) continue;
    if (!keys->typed.empty()) {
      TRY(cloud.call("PileusSendConsoleInput",
                     {{"InstanceId", instance.id}, {"Data", http::encode_base64(keys->typed)}}));
    }
    if (keys->last && ::isatty(STDIN_FILENO) == 1) return true;
    if (keys->last) entry.fd = -1;  // a script's input has ended: go on showing output
  }
  return !progress.over;
}

}  // namespace

Result<ConsoleEnd> attach_remote_console(const client::Cloud& cloud, const InstanceInfo& instance) {
  const client::Answer opened = TRY(cloud.call("PileusOpenConsole", {{"InstanceId", instance.id}}));
  const client::Settings& settings = cloud.settings();
  http::ClientOptions options;
  options.ca = settings.ca;
  const std::unique_ptr<http::Client> client = TRY(http::Client::create(options));
  http::ClientRequest request;
  request.url = settings.endpoint.substr(0, settings.endpoint.find_last_not_of('/') + 1) + opened.root.text("path");
  const std::unique_ptr<http::ClientStream> stream = TRY(client->open(request));
  std::fprintf(stderr, "Connected to the serial console of %s; Ctrl-] leaves it.\n", instance.label().c_str());
  Result<> shown;
  Progress progress;
  const RawTerminal raw;
  std::thread reader([&] {
    shown = show(*stream, progress);
    progress.over = true;
  });
  const Result<bool> left = pass_keys(cloud, instance, progress);
  stream->cancel();
  reader.join();
  if (!left) return left.error();
  if (*left) return ConsoleEnd::kLeft;
  if (!shown) return shown.error();
  return ConsoleEnd::kVmEnded;
}

}  // namespace pileus::cli
