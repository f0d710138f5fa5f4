// ConsoleHub: the serial console of a VM. What the guest prints goes to a log file and to everybody
// attached; what they type goes to the guest.
//
// The log is bounded: a full one becomes FILE.old, in place of an earlier one. A reader too slow
// for the guest loses characters; the guest is never held up.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "guest/char_backend.h"
#include "os/event_loop.h"
#include "os/fd.h"

namespace pileus::vmm {

class ConsoleHub : public guest::CharBackend {
 public:
  static constexpr u64 kMaxLog = 4 * kMiB;
  static constexpr std::size_t kMaxClients = 8;
  static constexpr std::size_t kRecall = 2048;  // bytes of the latest output that a new client is shown

  // `loop`, whose thread reads what is typed, must outlive the hub. Create it before that runs, or
  // through call().
  static Result<std::unique_ptr<ConsoleHub>> create(os::EventLoop& loop, const std::string& socket_path,
                                                    const std::string& log_path);
  ~ConsoleHub() override;

  void write(std::span<const u8> data) override;
  void set_input(Input input) override;

 private:
  ConsoleHub(os::EventLoop& loop, os::Fd listener, os::Fd log, std::string log_path);
  void accept_client();
  void serve(int fd);
  void drop(int fd);
  void write_log(std::string_view text);

  os::EventLoop& loop_;
  os::Fd listener_;
  std::string log_path_;
  std::mutex output_mutex_;
  os::Fd log_;                     // guarded by output_mutex_
  u64 logged_ = 0;                 // guarded by output_mutex_
  std::string recent_;             // guarded by output_mutex_
  std::map<int, os::Fd> clients_;  // guarded by output_mutex_; changed by the loop's thread only
  std::mutex input_mutex_;         // held while input_ runs
  Input input_;                    // guarded by input_mutex_
};

}  // namespace pileus::vmm
