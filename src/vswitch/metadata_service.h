// MetadataService: serves the metadata of all ports. Each port's connections come by a local socket of its own, to which its
// user network leads; that, and nothing the guest says, is how a port is known.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "http/server.h"
#include "os/event_loop.h"
#include "os/fd.h"
#include "vswitch/metadata.h"

namespace pileus::vswitch {

class MetadataService {
 public:
  // On the loop's thread, as everything here; `loop` must outlive it.
  static Result<std::unique_ptr<MetadataService>> start(os::EventLoop& loop);
  ~MetadataService();
  MetadataService(const MetadataService&) = delete;
  MetadataService& operator=(const MetadataService&) = delete;

  // Listens at `path`. With a port that is there already: it gets new metadata.
  Result<> add(const std::string& port, const std::filesystem::path& path, const Metadata& metadata);
  void remove(const std::string& port);

 private:
  struct Served {
    std::filesystem::path path;
    os::Fd listener;
    std::string label;  // the address that its requests say they are from
  };
  explicit MetadataService(os::EventLoop& loop) : loop_(loop) {}
  http::Response handle(const http::Request& request);
  void accept(const std::string& port);

  os::EventLoop& loop_;
  std::map<std::string, Served> served_;  // by port
  u32 next_label_ = 1;
  std::mutex mutex_;  // of the one below: requests are served by other threads
  std::map<std::string, MetadataTree> trees_;  // by label
  std::unique_ptr<http::Server> server_;  // last: ends first
};

}  // namespace pileus::vswitch
