// pileus-cloudd: the cloud manager.
#include <cstdio>

#include "base/log.h"
#include "console_site.h"
#include "control/clone_controller.h"
#include "control/host_health.h"
#include "control/interfaces.h"
#include "control/leadership.h"
#include "control/migration.h"
#include "control/migration_controller.h"
#include "control/reaper.h"
#include "control/runner.h"
#include "control/scheduler.h"
#include "control/transfer_controller.h"
#include "control/volume_controller.h"
#include "ec2/actions.h"
#include "ec2/api.h"
#include "first_start.h"
#include "host_listener.h"
#include "http/server.h"
#include "identity.h"
#include "live_streams.h"
#include "local_token.h"
#include "metrics.h"
#include "new_images.h"
#include "options.h"
#include "os/daemon.h"
#include "simulation.h"
#include "state/compactor.h"
#include "state/mirror/mirror.h"
#include "state/open.h"

namespace pileus::cloudd {
namespace {

constexpr std::chrono::seconds kStopPatience{5};
constexpr std::chrono::seconds kControllerInterval{1};
constexpr std::chrono::minutes kHistory{10};
// Of the API's requests. Some clients send all their parameters in the URL, and libmicrohttpd needs about 70 bytes of this
// for each.
constexpr std::size_t kMaxHeader = 128 * kKiB;

// What one cloud manager does for all.
struct Leading {
  std::unique_ptr<Simulation> simulation;
  std::unique_ptr<control::Runner> controllers;
};

placement::Policy policy_of(const Options& options) {
  if (options.placement == "spread") return placement::kSpreading;
  return options.placement == "fit" ? placement::kFitting : placement::kPacking;
}

std::unique_ptr<control::Runner> start_controllers(state::Store& store, const control::Clock& clock,
                                                   const placement::Policy& policy,
                                                   const std::shared_ptr<control::SharedView>& view) {
  std::vector<std::unique_ptr<control::Controller>> controllers;
  controllers.push_back(std::make_unique<control::HostHealthController>(store, clock, view));
  controllers.push_back(std::make_unique<control::Scheduler>(store, clock, policy, "scheduler", view));
  controllers.push_back(std::make_unique<control::Reaper>(store, clock, view));
  controllers.push_back(std::make_unique<control::InterfaceReaper>(store, view));
  controllers.push_back(std::make_unique<control::VolumeController>(store, clock, view));
  controllers.push_back(std::make_unique<control::CloneController>(store, clock, view));
  controllers.push_back(std::make_unique<control::MigrationController>(store, clock, view));
  controllers.push_back(std::make_unique<control::TransferController>(store, clock, view));
  return std::make_unique<control::Runner>(store, std::move(controllers), kControllerInterval);
}

Result<int> serve(const Options& options) {
  const std::filesystem::path data(options.data);
  TRY(os::make_directories(data));
  const Result<os::FileLock> alone = os::take_pid_file(data / "daemon.lock");
  if (!alone) return Error(ErrorCode::kBusy, "another pileus-cloudd uses " + options.data);
  const std::string where = options.state.empty() ? "sqlite:" + (data / "state").string() : options.state;
  std::unique_ptr<state::Store> durable = TRY(state::open_store(where).with("the cloud's state"));
  const std::unique_ptr<state::Store> store = TRY(state::open_mirror(std::move(durable)).with("the cloud's state"));
  const control::SystemClock clock;
  const auto view = std::make_shared<control::SharedView>(*store);
  const image::Library library = TRY(image::Library::open_default());
  const ConsoleSite console = TRY(ConsoleSite::open(options.console));
  TRY(ensure_types(*store));

  HostListenerOptions hosts;
  hosts.address = options.host_address;
  hosts.port = options.host_port;
  hosts.zone = options.zones.front();
  hosts.view = view;
  std::vector<std::string> server_names = {"localhost", "127.0.0.1"};
  const bool everywhere = options.host_address == "0.0.0.0" || options.host_address == "::";
  const std::string reached_at = everywhere ? "127.0.0.1" : options.host_address;
  if (reached_at != "127.0.0.1") server_names.push_back(reached_at);
  server_names.insert(server_names.end(), options.host_names.begin(), options.host_names.end());
  http::CloudCertificates certificates = TRY(open_identity(*store, data, server_names));
  const std::string fingerprint = certificates.fingerprint();
  std::string name = TRY(open_name(data));
  LocalToken token(*store, clock, data / "join-token",
                   {.fingerprint = fingerprint, .made_by = "cloud manager " + name});
  TRY(token.step().with("the join token of this machine"));
  std::unique_ptr<HostListener> listener = TRY(HostListener::start(*store, clock, std::move(certificates), hosts));

  ec2::ApiSettings settings;
  settings.console_output = [&](const model::InstancePlaced& placed) -> Result<std::string> {
    return listener->api().console(placed.id);
  };
  settings.migrate = [&](const control::MigrationWish& wish) {
    return control::begin_migration(*store, clock, *view, policy_of(options), wish);
  };
  auto live = std::make_unique<LiveStreams>(*store, clock, view, listener->consoles(), listener->api().usage());
  settings.live = live.get();
  settings.authority_fingerprint = fingerprint;
  settings.request_rate = options.request_rate;
  settings.request_burst = options.request_burst;
  settings.region = options.region;
  settings.zones = options.zones;
  ec2::Api api(*store, clock, std::move(settings), view);
  http::ServerOptions listen;
  listen.address = options.address;
  listen.port = options.port;
  listen.max_header = kMaxHeader;
  const auto handler = [&](const http::Request& request) -> http::Response {
    if (request.method == "GET" && request.path == "/healthz") return http::text_response(200, "ok");
    if (request.method == "GET" && request.path == "/metrics") return metrics_response(api);
    if (request.path.starts_with(kLivePath)) return live->handle(request);
    if (ConsoleSite::is_for(request)) return console.answer(request);
    return api.handle(request);
  };
  const std::unique_ptr<http::Server> server = TRY(http::Server::start(listen, handler).with("the API"));
  client::Settings root_settings;
  root_settings.endpoint = "http://" + options.address + ":" + std::to_string(server->port());
  root_settings.region = options.region;
  const model::AccountId root = TRY(ensure_root(*store, clock, data / "client.json", root_settings));
  NewImages new_images(view);
  const auto ready = [&](model::ImageId image) { return new_images.is_ready(image); };
  auto leadership =
      std::make_unique<control::Leadership>(*store, std::move(name), [&]() -> Result<control::Leadership::Work> {
        TRY(publish_images(*store, library, root, ready));
        auto leading = std::make_shared<Leading>();
        if (options.simulate != 0) {
          leading->simulation = TRY(Simulation::start(*store, clock, view, options.simulate, options.zones));
        }
        leading->controllers = start_controllers(*store, clock, policy_of(options), view);
        return control::Leadership::Work(std::move(leading));
      });
  TRY(os::replace_file(data / "hosts-url", "https://" + reached_at + ":" + std::to_string(listener->port()) + "\n"));
  std::printf("the API is at %s; access key in %s\n", root_settings.endpoint.c_str(), (data / "client.json").c_str());
  if (console.exists()) {
    std::printf("the console is at %s%s\n", root_settings.endpoint.c_str(), std::string(kConsolePath).c_str());
  }
  std::printf("hosts join at port %u; token in %s\n", listener->port(), (data / "join-token").c_str());
  std::fflush(stdout);

  os::tell_ready();
  state::Compactor compactor(*store, kHistory);
  do {
    const Result<> renewed = token.step();
    if (!renewed) log::warn("the join token of this machine: {}", renewed.error().message());
    if (!leadership->leads()) continue;
    const Result<u32> images = publish_images(*store, library, root, ready);
    if (!images) log::warn("images: {}", images.error().message());
    const Result<state::Revision> compacted = compactor.step(std::chrono::steady_clock::now());
    if (!compacted) log::warn("compaction: {}", compacted.error().message());
  } while (!os::wait_for_end(std::chrono::seconds(2)));
  log::info("ending in order");
  server->stop(kStopPatience);
  live.reset();
  listener.reset();
  leadership.reset();
  return 0;
}

int main_of(int argc, char** argv) {
  const std::variant<Options, int> parsed = parse_options(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const auto& options = std::get<Options>(parsed);
  if (options.print_api) {
    std::fputs(ec2::api_document().c_str(), stdout);
    return 0;
  }
  return os::run_daemon("pileus-cloudd", [&] { return serve(options); });
}

}  // namespace
}  // namespace pileus::cloudd

int main(int argc, char** argv) { return pileus::cloudd::main_of(argc, argv); }
