#include "http/internal/name_look_up.h"

#include <condition_variable>
#include <optional>
#include <thread>

namespace pileus::http {
namespace {

Result<Addresses> ask_library(const std::string& host, const std::string& port, int flags) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (status != 0) return Error(ErrorCode::kNotFound, host + ": " + ::gai_strerror(status));
  return Addresses(found, [](const addrinfo* list) { ::freeaddrinfo(const_cast<addrinfo*>(list)); });
}

}  // namespace

// What threads that were left behind may still come back to.
struct NameLookUp::Shared {
  struct UnderWay {
    std::condition_variable ended;
    std::optional<Result<Addresses>> answer;
  };
  explicit Shared(Ask how) : ask(std::move(how)) {}

  const Ask ask;
  std::mutex mutex;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<UnderWay>> under_way;  // guarded by mutex
};

NameLookUp::NameLookUp(Ask ask) : shared_(std::make_shared<Shared>(std::move(ask))) {}

Result<Addresses> NameLookUp::find(const std::string& host, const std::string& port, Time deadline) {
  const std::pair<std::string, std::string> name(host, port);
  std::unique_lock lock(shared_->mutex);
  std::shared_ptr<Shared::UnderWay>& entry = shared_->under_way[name];
  const bool first = !entry;
  if (first) entry = std::make_shared<Shared::UnderWay>();
  const std::shared_ptr<Shared::UnderWay> asked = entry;
  if (first) {
    std::thread([shared = shared_, asked, name] {
      Result<Addresses> answer = shared->ask(name.first, name.second);
      const std::lock_guard held(shared->mutex);
      asked->answer = std::move(answer);
      asked->ended.notify_all();
      shared->under_way.erase(name);
    }).detach();
  }
  if (asked->ended.wait_until(lock, deadline, [&] { return asked->answer.has_value(); })) return *asked->answer;
  return Error(ErrorCode::kNotFound, host + ": its address was not found in time");
}

Result<Addresses> look_up(const std::string& host, const std::string& port, NameLookUp::Time deadline) {
  Result<Addresses> number = ask_library(host, port, AI_NUMERICHOST);
  if (number) return number;
  // Never destroyed: threads that were left behind may outlive main().
  static NameLookUp& names =
      *new NameLookUp([](const std::string& name, const std::string& at) { return ask_library(name, at, 0); });
  return names.find(host, port, deadline);
}

}  // namespace pileus::http
