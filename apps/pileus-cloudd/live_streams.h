// LiveStreams: server-sent events for those whom the API has let in: changes of instances and hosts, and what consoles
// show. The API gives out tickets; who shows one at kLivePath, once and soon, gets its stream. A ticket is good at this
// cloud manager only.
//
// A stream that ended is opened again by a new ticket: events say that something changed and the API says what is, so
// nothing is lost in between.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>

#include "change_watcher.h"
#include "control/console_exchange.h"
#include "control/host_api.h"
#include "ec2/live.h"
#include "http/server.h"

namespace pileus::cloudd {

inline constexpr std::string_view kLivePath = "/live/";

// What a ticket is for.
struct ForChanges {
  model::AccountId account;
  bool administrator = false;
};
struct ForConsole {
  model::InstanceId instance;
  model::HostId host;
};

class LiveStreams : public ec2::Live {
 public:
  LiveStreams(state::Store& store, const control::Clock& clock, std::shared_ptr<control::SharedView> view,
              control::ConsoleExchange& consoles, const control::UsageLog& usage);
  ~LiveStreams() override;
  LiveStreams(const LiveStreams&) = delete;
  LiveStreams& operator=(const LiveStreams&) = delete;

  Result<std::string> open_changes(const model::Account& account) override;
  Result<std::string> open_console(const model::InstancePlaced& placed) override;
  Result<> type(model::InstanceId id, std::string_view data) override { return consoles_.type(id, data); }
  std::vector<control::UsageSample> usage(model::InstanceId id) override { return usage_.samples(id); }

  // GET kLivePath + ticket
  http::Response handle(const http::Request& request);

 private:
  struct Ticket {
    std::variant<ForChanges, ForConsole> what;
    model::Millis until = 0;
  };
  struct Subscriber {
    ForChanges sees;
    std::shared_ptr<http::Stream> stream;
  };

  Result<std::string> give_ticket(std::variant<ForChanges, ForConsole> what);
  http::Response begin(const ForChanges& wish);
  http::Response begin(const ForConsole& wish);
  // Tells subscribers what has changed since the last call.
  void tell();
  // Finds out who has gone.
  void keep_alive();

  const control::Clock& clock_;
  const std::shared_ptr<control::SharedView> view_;
  control::ConsoleExchange& consoles_;
  const control::UsageLog& usage_;
  control::Changes noted_;  // guarded by the view
  std::mutex mutex_;
  std::map<std::string, Ticket> tickets_;  // guarded by mutex_
  std::vector<Subscriber> subscribers_;  // guarded by mutex_
  bool ended_ = false;  // guarded by mutex_
  std::condition_variable end_;
  std::thread keeper_;
  std::unique_ptr<ChangeWatcher> watcher_;
};

}  // namespace pileus::cloudd
