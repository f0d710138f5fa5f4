// EtcdCluster: an etcd cluster of its own for a test, on free ports of 127.0.0.1, in a folder that is
// removed. Its processes are killed when it is destroyed, and when the test dies.
#pragma once

#include <gtest/gtest.h>

#include <fcntl.h>

#include <csignal>
#include <optional>
#include <random>
#include <thread>

#include "http/client.h"
#include "os/child_process.h"
#include "os/file.h"
#include "os/tcp.h"

namespace pileus::state::testing {

class EtcdCluster {
 public:
  static constexpr std::chrono::seconds kPatience{120};  // machines are busy

  static bool is_installed() { return os::find_program("etcd").has_value(); }

  // Clients have to come by TLS, with a certificate.
  struct Tls {
    std::vector<std::string> flags;  // of etcd
    http::ClientOptions client;
  };

  // Started and with a leader.
  static std::unique_ptr<EtcdCluster> start(std::size_t count, std::optional<Tls> tls = std::nullopt) {
    std::unique_ptr<EtcdCluster> cluster(new EtcdCluster(count, std::move(tls)));
    for (std::size_t i = 0; i < count; ++i) cluster->start_member(i);
    EXPECT_TRUE(cluster->wait_until_ready());
    return cluster;
  }

  ~EtcdCluster() {
    for (Member& member : members_) {
      if (!member.process) continue;
      member.process->signal(SIGKILL);
      static_cast<void>(member.process->wait().ok());
    }
  }

  std::vector<std::string> endpoints() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < members_.size(); ++i) all.push_back(endpoint(i));
    return all;
  }
  std::string endpoint(std::size_t i) const {
    return (tls_ ? "https" : "http") + std::string("://127.0.0.1:") + std::to_string(members_[i].client_port);
  }
  u16 client_port(std::size_t i) const { return members_[i].client_port; }

  void start_member(std::size_t i) {
    Member& member = members_[i];
    const std::string name = "m" + std::to_string(i);
    std::string peers;
    for (std::size_t k = 0; k < members_.size(); ++k) {
      peers += (k == 0 ? "m" : ",m") + std::to_string(k) + "=" + url(members_[k].peer_port);
    }
    const os::Fd log = os::open_file(folder_.path() / (name + ".log"), O_WRONLY | O_CREAT | O_APPEND).value();
    os::ChildProcess::Options options;
    options.argv = {"etcd", "--name", name, "--data-dir", folder_.path() / name, "--listen-client-urls", endpoint(i),
                    "--advertise-client-urls", endpoint(i), "--listen-peer-urls", url(member.peer_port),
                    "--initial-advertise-peer-urls", url(member.peer_port), "--initial-cluster", peers,
                    "--initial-cluster-state", "new",
                    // Elections soon, so that tests are; leases of a second are allowed then.
                    "--heartbeat-interval", "50", "--election-timeout", "500"};
    if (tls_) options.argv.insert(options.argv.end(), tls_->flags.begin(), tls_->flags.end());
    options.stdout_fd = options.stderr_fd = log.get();
    options.parent_death_signal = SIGKILL;
    auto spawned = os::ChildProcess::spawn(options);
    CHECK(spawned.ok());
    member.process.emplace(std::move(*spawned));
  }

  // kill -9, and wait for its end.
  void kill_member(std::size_t i) {
    members_[i].process->signal(SIGKILL);
    EXPECT_TRUE(members_[i].process->wait().ok());
    members_[i].process.reset();
  }
  // SIGSTOP: its connections stay, and nothing answers.
  void freeze(std::size_t i) { members_[i].process->signal(SIGSTOP); }
  void thaw(std::size_t i) { members_[i].process->signal(SIGCONT); }

  // The member that leads, as those say that answer; nothing when none does.
  std::optional<std::size_t> leader() const {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const std::string answer = ask(i, "/v3/maintenance/status");
      const auto id = field(answer, "leader");
      if (id.empty() || id == "0") continue;
      for (std::size_t k = 0; k < members_.size(); ++k) {
        if (field(ask(k, "/v3/maintenance/status"), "member_id") == id) return k;
      }
    }
    return std::nullopt;
  }

  bool wait_until_ready() const {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < deadline) {
      std::size_t ready = 0;
      for (std::size_t i = 0; i < members_.size(); ++i) {
        // A read that needs a leader.
        if (members_[i].process && ask(i, "/v3/kv/range", R"({"key":"YQ=="})").find("header") != std::string::npos)
          ++ready;
        if (!members_[i].process) ++ready;
      }
      if (ready == members_.size()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

 private:
  struct Member {
    u16 client_port;
    u16 peer_port;
    std::optional<os::ChildProcess> process;
  };

  EtcdCluster(std::size_t count, std::optional<Tls> tls) : tls_(std::move(tls)) {
    for (std::size_t i = 0; i < count; ++i) {
      members_.push_back(Member{find_quiet_port(), find_quiet_port(), std::nullopt});
    }
  }

  // One that the kernel gives to nobody who connects, so that a member finds it free when it comes back: even who connects to
  // a port where nobody listens may be given that port for its own end.
  static u16 find_quiet_port() {
    constexpr unsigned kFirst = 20'000, kCount = 10'000;
    std::random_device random;
    while (true) {
      const u16 port = static_cast<u16>(kFirst + random() % kCount);
      if (os::check_port_free(port)) return port;
    }
  }

  static std::string url(u16 port) { return "http://127.0.0.1:" + std::to_string(port); }

  std::string ask(std::size_t i, const std::string& path, const std::string& body = "{}") const {
    http::ClientRequest request;
    request.method = "POST";
    request.url = endpoint(i) + path;
    request.body = body;
    request.timeout = std::chrono::seconds(5);
    auto answer = client_->send(request);
    return answer.ok() ? answer->body : "";
  }
  // The value of "name":"value".
  static std::string field(const std::string& json, const std::string& name) {
    const std::string mark = "\"" + name + "\":\"";
    const auto begin = json.find(mark);
    if (begin == std::string::npos) return {};
    const auto end = json.find('"', begin + mark.size());
    return json.substr(begin + mark.size(), end - begin - mark.size());
  }

  static os::TemporaryDirectory make_folder() {
    auto made = os::TemporaryDirectory::create(::testing::TempDir() + "etcd-");
    CHECK(made.ok());
    return std::move(made).value();
  }

  const os::TemporaryDirectory folder_ = make_folder();
  const std::optional<Tls> tls_;
  const std::unique_ptr<http::Client> client_ =
      http::Client::create(tls_ ? tls_->client : http::ClientOptions{}).value();
  std::vector<Member> members_;
};

}  // namespace pileus::state::testing
