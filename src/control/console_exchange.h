// ConsoleExchange: serial consoles that people have open, between them and the hosts where the instances run. Hosts call
// and are never called, so what is typed waits here until the host asks for it. Any thread.
//
// Everything is bounded: consoles of a host, people at a console, what waits to be fetched, what is shown to who comes
// later. What was typed and not fetched soon is dropped: nobody wants a command carried out minutes after it was typed.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "control/clock.h"
#include "control/console_protocol.h"

namespace pileus::control {

class ConsoleExchange {
 public:
  static constexpr std::size_t kMaxConsoles = 32;  // of a host
  static constexpr std::size_t kMaxReaders = 8;  // of a console
  static constexpr std::size_t kMaxWaiting = 64 * kKiB;  // typed, of a host
  static constexpr std::size_t kRecall = 16 * kKiB;  // of the latest output, shown to a reader who comes later
  static constexpr model::Millis kTypedLives = 10'000;

  // Gets what a guest writes; an empty text asks only whether the reader is there still. With `ended`, the console is
  // over. False: the reader has gone. Must not wait, nor call the exchange.
  using Reader = std::function<bool(std::string_view output, std::string_view ended)>;
  // There is something new for the host. Called without a lock held.
  using Wake = std::function<void(model::HostId host)>;

  ConsoleExchange(const Clock& clock, Wake wake);

  // kExhausted: too many are open already.
  Result<> open(model::InstanceId id, model::HostId host, Reader reader);
  // kNotFound: nobody has that console open. kExhausted: the host does not fetch what is typed.
  Result<> type(model::InstanceId id, std::string_view data);
  // Asks all readers whether they are there, and closes consoles that nobody reads.
  void sweep();

  // The host's side.
  ConsoleWishes wishes(model::HostId host, u64 after);
  // Output for a console that is not open on that host is dropped.
  void put_output(model::HostId host, const ConsoleOutput& output);

 private:
  struct Console {
    model::HostId host;
    std::string recent;
    std::vector<Reader> readers;
  };
  struct Typed {
    ConsoleInput input;
    model::Millis at = 0;
  };
  struct Host {
    u64 sequence = 0;
    std::deque<Typed> typed;
    std::size_t waiting = 0;  // bytes of `typed`
  };
  Host& host_of(model::HostId id);
  void forget(Host& host, u64 up_to);
  bool tell(Console& console, std::string_view output, std::string_view ended);
  std::size_t count_on(model::HostId host) const;

  const Clock& clock_;
  const Wake wake_;
  std::mutex mutex_;  // of all below
  std::map<model::InstanceId, Console> consoles_;
  std::map<model::HostId, Host> hosts_;
};

}  // namespace pileus::control
