#include "vmm/console_hub.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>

#include "os/file.h"
#include "os/unix_socket.h"

namespace pileus::vmm {
namespace {

constexpr int kLogFlags = O_WRONLY | O_CREAT | O_APPEND;

}  // namespace

ConsoleHub::ConsoleHub(os::EventLoop& loop, os::Fd listener, os::Fd log, std::string log_path)
    : loop_(loop), listener_(std::move(listener)), log_path_(std::move(log_path)), log_(std::move(log)) {
  struct stat status = {};
  if (::fstat(log_.get(), &status) == 0) logged_ = static_cast<u64>(status.st_size);
}

Result<std::unique_ptr<ConsoleHub>> ConsoleHub::create(os::EventLoop& loop, const std::string& socket_path,
                                                       const std::string& log_path) {
  os::Fd listener = TRY(os::listen_unix(socket_path));
  os::Fd log = TRY(os::open_file(log_path, kLogFlags, 0600));
  std::unique_ptr<ConsoleHub> hub(new ConsoleHub(loop, std::move(listener), std::move(log), log_path));
  ConsoleHub* const raw = hub.get();
  TRY(loop.add(hub->listener_.get(), EPOLLIN, [raw](u32) { raw->accept_client(); }));
  return hub;
}

ConsoleHub::~ConsoleHub() {
  loop_.call([this] {
    while (!clients_.empty()) drop(clients_.begin()->first);
    loop_.remove(listener_.get());
  });
}

void ConsoleHub::write_log(std::string_view text) {
  if (logged_ + text.size() > kMaxLog) {
    Result<> moved = os::rename(log_path_, log_path_ + ".old");
    Result<os::Fd> fresh = os::open_file(log_path_, kLogFlags, 0600);
    if (!moved || !fresh) return;  // a guest that fills its log must not fill the disk
    log_ = std::move(fresh).value();
    logged_ = 0;
  }
  const Result<> written = os::write_all(log_.get(), text);  // a full disk loses the log, not the VM
  if (written) logged_ += text.size();
}

void ConsoleHub::write(std::span<const u8> data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  const std::lock_guard lock(output_mutex_);
  write_log(text);
  recent_.append(text);
  if (recent_.size() > 2 * kRecall) recent_.erase(0, recent_.size() - kRecall);
  for (const auto& [fd, socket] : clients_) {
    (void)!::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

void ConsoleHub::set_input(Input input) {
  const std::lock_guard lock(input_mutex_);
  input_ = std::move(input);
}

void ConsoleHub::accept_client() {
  Result<os::Fd> socket = os::accept_connection(listener_.get());
  if (!socket || clients_.size() >= kMaxClients) return;
  const int fd = socket->get();
  if (!loop_.add(fd, EPOLLIN, [this, fd](u32) { serve(fd); })) return;
  const std::lock_guard lock(output_mutex_);
  const std::size_t shown = std::min(recent_.size(), kRecall);
  (void)!::send(fd, recent_.data() + (recent_.size() - shown), shown, MSG_DONTWAIT | MSG_NOSIGNAL);
  clients_.emplace(fd, std::move(socket).value());
}

void ConsoleHub::serve(int fd) {
  std::array<u8, 512> chunk;
  const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(fd);
  const std::lock_guard lock(input_mutex_);
  if (input_) input_(std::span(chunk).first(static_cast<std::size_t>(got)));
}

void ConsoleHub::drop(int fd) {
  loop_.remove(fd);
  const std::lock_guard lock(output_mutex_);
  clients_.erase(fd);
}

}  // namespace pileus::vmm
