#include "control/console_exchange.h"

#include <algorithm>
#include <set>

namespace pileus::control {

ConsoleExchange::ConsoleExchange(const Clock& clock, Wake wake) : clock_(clock), wake_(std::move(wake)) {}

// Sequences begin with the time, so that those of a cloud manager that was started again go on from where a host is.
ConsoleExchange::Host& ConsoleExchange::host_of(model::HostId id) {
  const auto [at, fresh] = hosts_.try_emplace(id);
  if (fresh) at->second.sequence = clock_.now() * 1000;
  return at->second;
}

std::size_t ConsoleExchange::count_on(model::HostId host) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(consoles_, [&](const auto& each) { return each.second.host == host; }));
}

Result<> ConsoleExchange::open(model::InstanceId id, model::HostId host, Reader reader) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = consoles_.find(id);
    // It runs elsewhere now: what was shown is of another run.
    if (found != consoles_.end() && found->second.host != host) consoles_.erase(found);
    if (!consoles_.contains(id) && count_on(host) >= kMaxConsoles) {
      return Error(ErrorCode::kExhausted, "too many consoles of its host are open: close one");
    }
    Console& console = consoles_[id];
    console.host = host;
    if (console.readers.size() >= kMaxReaders) {
      return Error(ErrorCode::kExhausted, "too many people have this console open: close one");
    }
    if (!reader(console.recent, {})) return {};
    console.readers.push_back(std::move(reader));
    host_of(host).sequence++;
  }
  wake_(host);
  return {};
}

Result<> ConsoleExchange::type(model::InstanceId id, std::string_view data) {
  model::HostId host;
  {
    const std::lock_guard lock(mutex_);
    const auto found = consoles_.find(id);
    if (found == consoles_.end()) {
      return Error(ErrorCode::kNotFound, "the console of " + id.text() + " is not open: open it first");
    }
    host = found->second.host;
    Host& queue = host_of(host);
    if (queue.waiting + data.size() > kMaxWaiting) {
      return Error(ErrorCode::kExhausted, "the host does not take what is typed: wait until it answers again");
    }
    queue.typed.push_back({{++queue.sequence, id, std::string(data)}, clock_.now()});
    queue.waiting += data.size();
  }
  wake_(host);
  return {};
}

// What the host has, and what nobody wants typed any more.
void ConsoleExchange::forget(Host& host, u64 up_to) {
  const model::Millis now = clock_.now();
  while (!host.typed.empty()) {
    const Typed& first = host.typed.front();
    if (first.input.sequence > up_to && first.at + kTypedLives >= now) return;
    host.waiting -= first.input.data.size();
    host.typed.pop_front();
  }
}

ConsoleWishes ConsoleExchange::wishes(model::HostId host, u64 after) {
  const std::lock_guard lock(mutex_);
  Host& queue = host_of(host);
  forget(queue, after);
  ConsoleWishes message;
  message.sequence = queue.sequence;
  for (const auto& [id, console] : consoles_) {
    if (console.host == host) message.open.push_back(id);
  }
  for (const Typed& each : queue.typed) message.input.push_back(each.input);
  return message;
}

// Whether anybody reads it still.
bool ConsoleExchange::tell(Console& console, std::string_view output, std::string_view ended) {
  std::erase_if(console.readers, [&](const Reader& reader) { return !reader(output, ended); });
  return !console.readers.empty();
}

void ConsoleExchange::put_output(model::HostId host, const ConsoleOutput& output) {
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = consoles_.find(output.id);
    if (found == consoles_.end() || found->second.host != host) return;
    Console& console = found->second;
    console.recent += output.data;
    if (console.recent.size() > kRecall) console.recent.erase(0, console.recent.size() - kRecall);
    closed = !tell(console, output.data, output.ended) || !output.ended.empty();
    if (closed) {
      consoles_.erase(found);
      host_of(host).sequence++;
    }
  }
  if (closed) wake_(host);
}

void ConsoleExchange::sweep() {
  std::set<model::HostId> changed;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = consoles_.begin(); at != consoles_.end();) {
      const bool read = tell(at->second, {}, {});
      if (!read) changed.insert(at->second.host);
      at = read ? std::next(at) : consoles_.erase(at);
    }
    for (const model::HostId host : changed) host_of(host).sequence++;
  }
  for (const model::HostId host : changed) wake_(host);
}

}  // namespace pileus::control
