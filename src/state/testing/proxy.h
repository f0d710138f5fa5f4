// Proxy: a TCP port of 127.0.0.1 that leads to another one, until a test says otherwise.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

#include "os/fd.h"
#include "os/tcp.h"

namespace pileus::state::testing {

class Proxy {
 public:
  enum class Mode {
    kPass,          // everything
    kCutAnswers,    // requests go through; the connection is reset when the answer comes
    kSilent,        // connections are accepted and nothing goes through
    kRefuse,        // connections are reset at once
  };

  explicit Proxy(u16 target)
      : target_(target), port_(os::find_free_port().value()), listener_(os::listen_loopback(port_).value()) {
    thread_ = std::thread([this] { run(); });
  }
  ~Proxy() {
    stop_ = true;
    thread_.join();
  }
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  u16 port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // Holds when it returns.
  void set_mode(Mode mode) {
    mode_ = mode;
    const int now = rounds_;
    while (rounds_ < now + 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // Resets all connections there are.
  void cut() {
    cut_ = true;
    while (cut_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  // Answers that were cut by kCutAnswers.
  int cut_answers() const { return cut_answers_; }

 private:
  struct Pair {
    os::Fd client;
    os::Fd server;
  };

  static void make_reset(const os::Fd& socket) {
    const linger hard{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  }
  static void reset(Pair& pair) {
    make_reset(pair.client);
    make_reset(pair.server);
  }

  void run() {
    while (!stop_) {
      ++rounds_;
      std::vector<pollfd> waits = {{listener_.get(), POLLIN, 0}};
      const bool silent = mode_ == Mode::kSilent;
      for (const Pair& pair : pairs_) {
        waits.push_back({pair.client.get(), static_cast<short>(silent ? 0 : POLLIN), 0});
        waits.push_back({pair.server.get(), static_cast<short>(silent ? 0 : POLLIN), 0});
      }
      ::poll(waits.data(), waits.size(), 5);
      if (cut_) {
        for (Pair& pair : pairs_) reset(pair);
        pairs_.clear();
        cut_ = false;
        continue;
      }
      std::vector<Pair> kept;
      for (std::size_t i = 0; i < pairs_.size(); ++i) {
        Pair& pair = pairs_[i];
        const bool good = move(waits[1 + 2 * i], pair.client, pair.server, false) &&
                          move(waits[2 + 2 * i], pair.server, pair.client, true);
        if (good) kept.push_back(std::move(pair));
      }
      pairs_ = std::move(kept);
      if ((waits[0].revents & POLLIN) != 0) accept();
    }
  }

  void accept() {
    Pair pair;
    pair.client = os::Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!pair.client.valid()) return;
    if (mode_ == Mode::kRefuse) return make_reset(pair.client);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(target_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    pair.server = os::Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(pair.server.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      return make_reset(pair.client);
    }
    pairs_.push_back(std::move(pair));
  }

  // False when the connection has come to its end.
  bool move(const pollfd& ready, const os::Fd& from, const os::Fd& to, bool answer) {
    if (ready.revents == 0) return true;
    char buffer[65536];
    const ssize_t got = ::recv(from.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
    if (got <= 0) return false;
    if (answer && mode_ == Mode::kCutAnswers) {
      make_reset(to);
      ++cut_answers_;
      return false;
    }
    for (ssize_t sent = 0; sent < got;) {
      const ssize_t more = ::send(to.get(), buffer + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
      if (more <= 0) return false;
      sent += more;
    }
    return true;
  }

  const u16 target_;
  const u16 port_;
  const os::Fd listener_;
  std::atomic<Mode> mode_ = Mode::kPass;
  std::atomic<bool> cut_ = false;
  std::atomic<bool> stop_ = false;
  std::atomic<int> cut_answers_ = 0;
  std::atomic<int> rounds_ = 0;
  std::vector<Pair> pairs_;  // the thread's
  std::thread thread_;
};

}  // namespace pileus::state::testing
