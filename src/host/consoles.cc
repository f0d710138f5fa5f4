#include "host/consoles.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <set>

#include "base/log.h"
#include "os/unix_socket.h"
#include "vmm/vm_directory.h"

namespace pileus::host {
namespace {

constexpr std::chrono::milliseconds kRetry{1000};  // when the cloud cannot be reached
constexpr std::size_t kChunk = 32 * kKiB;

}  // namespace

class Consoles::Console {
 public:
  Console(CloudLink& cloud, const std::filesystem::path& instances, model::InstanceId id)
      : cloud_(cloud), id_(id), stop_(::eventfd(0, EFD_CLOEXEC)) {
    Result<os::Fd> socket = os::connect_unix(vmm::VmDirectory(instances / id.text()).console_socket());
    if (socket) socket_ = std::move(socket).value();
    thread_ = std::thread([this] { run(); });
  }

  ~Console() {
    const u64 one = 1;
    (void)!::write(stop_.get(), &one, sizeof(one));
    thread_.join();
  }

  // More than the guest takes is dropped, as a real line would.
  void type(std::string_view data) {
    if (!done_) (void)!::send(socket_.get(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  bool done() const { return done_; }

 private:
  void run() {
    const std::string why = socket_.valid() ? pass_output() : "the VM does not run";
    done_ = true;
    if (!why.empty()) tell({id_, {}, why});
  }

  // Until it is over, and why; empty: nobody wants it any more.
  std::string pass_output() {
    std::string chunk(kChunk, '\0');
    while (true) {
      std::array<pollfd, 2> entries = {pollfd{.fd = socket_.get(), .events = POLLIN, .revents = 0},
                                       pollfd{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
      if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) return "its console cannot be read";
      if (entries[1].revents != 0) return {};
      if (entries[0].revents == 0) continue;
      const ssize_t got = ::recv(socket_.get(), chunk.data(), chunk.size(), MSG_DONTWAIT);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (got <= 0) return "the VM has ended";
      if (!tell({id_, chunk.substr(0, static_cast<std::size_t>(got)), {}})) return {};
    }
  }

  // False when nobody wants it any more.
  bool tell(const control::ConsoleOutput& output) {
    while (true) {
      const Result<> told = cloud_.console_output(output);
      if (told) return true;
      log::warn("console of {}: {}", id_.text(), told.error().message());
      pollfd entry = {.fd = stop_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&entry, 1, static_cast<int>(kRetry.count())) != 0) return false;
    }
  }

  CloudLink& cloud_;
  const model::InstanceId id_;
  os::Fd socket_;  // not valid: nobody listened
  const os::Fd stop_;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

Consoles::Consoles(CloudLink& cloud, std::filesystem::path instances)
    : cloud_(cloud), instances_(std::move(instances)), listener_([this] { listen(); }) {}

Consoles::~Consoles() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  woken_.notify_all();
  listener_.join();
}

bool Consoles::rest(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !woken_.wait_for(lock, time, [this] { return ended_; });
}

void Consoles::listen() {
  while (rest(std::chrono::milliseconds(0))) {
    const Result<control::ConsoleWishes> wishes = cloud_.console_wishes(sequence_);
    if (wishes) {
      follow(*wishes);
    } else if (rest(kRetry)) {
      log::warn("the cloud's wishes for consoles: {}", wishes.error().message());
    }
  }
}

void Consoles::follow(const control::ConsoleWishes& wishes) {
  const std::set<model::InstanceId> wanted(wishes.open.begin(), wishes.open.end());
  std::erase_if(open_, [&](const auto& each) { return each.second->done() || !wanted.contains(each.first); });
  for (const model::InstanceId id : wanted) {
    if (!open_.contains(id)) open_[id] = std::make_unique<Console>(cloud_, instances_, id);
  }
  for (const control::ConsoleInput& input : wishes.input) {
    const auto console = open_.find(input.id);
    if (input.sequence > sequence_ && console != open_.end()) console->second->type(input.data);
  }
  sequence_ = wishes.sequence;
}

}  // namespace pileus::host
