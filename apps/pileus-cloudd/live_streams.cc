#include "live_streams.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/base64.h"
#include "http/certificates.h"

namespace pileus::cloudd {
namespace {

using Json = nlohmann::json;
constexpr model::Millis kTicketLives = 30'000;
constexpr std::size_t kMostTickets = 10'000;
constexpr std::size_t kMostSubscribers = 1000;
constexpr i64 kMostOfAccount = 50;
constexpr std::size_t kTicketBytes = 24;
constexpr std::chrono::milliseconds kTogether{100};  // changes so near to each other are told at once
constexpr std::chrono::seconds kKeepAlive{15};
constexpr std::size_t kMaxWaiting = 256 * kKiB;

// Source: WHATWG HTML, "Server-sent events".
std::string event(std::string_view name, std::string_view data) {
  return std::string("event: ").append(name).append("\ndata: ").append(data).append("\n\n");
}
constexpr std::string_view kComment = ":\n\n";

http::Response stream_response(const std::shared_ptr<http::Stream>& stream) {
  http::Response response;
  response.headers = {
      {"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  response.stream = stream;
  return response;
}

}  // namespace

LiveStreams::LiveStreams(state::Store& store, const control::Clock& clock, std::shared_ptr<control::SharedView> view,
                         control::ConsoleExchange& consoles, const control::UsageLog& usage)
    : clock_(clock), view_(std::move(view)), consoles_(consoles), usage_(usage), keeper_([this] { keep_alive(); }) {
  view_->look([this](control::View& shared) { shared.note_in(noted_); });
  watcher_ = std::make_unique<ChangeWatcher>(store, [this] { tell(); });
}

LiveStreams::~LiveStreams() {
  watcher_.reset();
  view_->look([this](control::View& shared) { shared.stop_noting_in(noted_); });
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  end_.notify_all();
  keeper_.join();
}

Result<std::string> LiveStreams::give_ticket(std::variant<ForChanges, ForConsole> what) {
  const std::string name = TRY(http::random_hex(kTicketBytes));
  const model::Millis now = clock_.now();
  const std::lock_guard lock(mutex_);
  std::erase_if(tickets_, [&](const auto& each) { return each.second.until < now; });
  if (tickets_.size() >= kMostTickets) {
    return Error(ErrorCode::kExhausted, "too many streams are being opened: try again in a minute");
  }
  tickets_[name] = {std::move(what), now + kTicketLives};
  return std::string(kLivePath) + name;
}

Result<std::string> LiveStreams::open_changes(const model::Account& account) {
  return give_ticket(ForChanges{account.id, account.administrator});
}

Result<std::string> LiveStreams::open_console(const model::InstancePlaced& placed) {
  return give_ticket(ForConsole{placed.id, placed.host});
}

http::Response LiveStreams::handle(const http::Request& request) {
  if (request.method != "GET") return http::text_response(405, "streams are read by GET");
  Ticket ticket;
  {
    const std::lock_guard lock(mutex_);
    const auto found = tickets_.find(request.path.substr(kLivePath.size()));
    if (found == tickets_.end() || found->second.until < clock_.now()) {
      return http::text_response(404, "the ticket was used, or is too old: ask the API for another one");
    }
    ticket = std::move(found->second);
    tickets_.erase(found);
  }
  return std::visit([this](const auto& wish) { return begin(wish); }, ticket.what);
}

http::Response LiveStreams::begin(const ForChanges& wish) {
  const std::shared_ptr<http::Stream> stream = http::Stream::create(kMaxWaiting);
  stream->write(event("hello", "{}"));
  const std::lock_guard lock(mutex_);
  const auto of_account =
      std::ranges::count_if(subscribers_, [&](const Subscriber& each) { return each.sees.account == wish.account; });
  if (subscribers_.size() >= kMostSubscribers || of_account >= kMostOfAccount) {
    return http::text_response(503, "too many streams are open");
  }
  subscribers_.push_back({wish, stream});
  return stream_response(stream);
}

http::Response LiveStreams::begin(const ForConsole& wish) {
  const std::shared_ptr<http::Stream> stream = http::Stream::create(kMaxWaiting);
  const auto reader = [stream](std::string_view output, std::string_view ended) {
    if (!output.empty() && !stream->write(event("output", http::encode_base64(output)))) return false;
    if (ended.empty()) return stream->write(output.empty() ? kComment : "");
    stream->write(event("ended", Json(ended).dump(-1, ' ', false, Json::error_handler_t::replace)));
    stream->close();
    return false;
  };
  stream->write(event("hello", "{}"));
  const Result<> opened = consoles_.open(wish.instance, wish.host, reader);
  if (!opened) return http::text_response(503, opened.error().message());
  return stream_response(stream);
}

void LiveStreams::tell() {
  control::Changes changes;
  std::map<model::InstanceId, model::AccountId> owners;
  const Result<> looked = view_->read([&](control::View& view) {
    changes = std::exchange(noted_, {});
    for (const model::InstanceId id : changes.instances) {
      const control::InstanceView* instance = view.find(id);
      if (instance != nullptr) owners[id] = instance->desired.value.account;
    }
  });
  if (!looked || (owners.empty() && changes.hosts.empty())) return;
  Json hosts = Json::array();
  for (const model::HostId id : changes.hosts) hosts.push_back(id.text());
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(subscribers_, [&](const Subscriber& each) {
      Json instances = Json::array();
      for (const auto& [id, owner] : owners) {
        if (owner == each.sees.account) instances.push_back(id.text());
      }
      const bool sees_hosts = each.sees.administrator && !hosts.empty();
      if (instances.empty() && !sees_hosts) return each.stream->closed();
      const Json data = {{"instances", instances}, {"hosts", sees_hosts ? hosts : Json::array()}};
      return !each.stream->write(event("changed", data.dump()));
    });
  }
  std::this_thread::sleep_for(kTogether);
}

void LiveStreams::keep_alive() {
  std::unique_lock lock(mutex_);
  while (!end_.wait_for(lock, kKeepAlive, [this] { return ended_; })) {
    std::erase_if(subscribers_, [](const Subscriber& each) { return !each.stream->write(kComment); });
    lock.unlock();
    consoles_.sweep();
    lock.lock();
  }
}

}  // namespace pileus::cloudd
