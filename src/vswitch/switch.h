// Switch: the virtual switch of one host: a fabric with the sockets of its ports, their user networks, metadata and tunnel.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "nat/user_network.h"
#include "os/event_loop.h"
#include "vswitch/fabric.h"
#include "vswitch/metadata_service.h"
#include "vswitch/port_link.h"
#include "vswitch/tunnel.h"

namespace pileus::vswitch {

struct PortStatus {
  bool connected = false;  // a VM is plugged in
  u64 dropped = 0;  // frames that the VM did not take
  PortCounters counters;
};

class Switch : private Fabric::Output {
 public:
  // `folder` gets the ports' sockets, ID.port. On the loop's thread, as everything here; `loop` must outlive the switch.
  static Result<std::unique_ptr<Switch>> create(os::EventLoop& loop, const std::filesystem::path& folder);
  ~Switch() override;
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;

  // Makes everything as it says, and leaves alone what is so already. What cannot be done, by port ("" for the tunnel); the
  // rest is done.
  std::map<std::string, std::string> apply(Config config);
  std::map<std::string, PortStatus> status() const;

 private:
  struct Socket {
    Ipv4Address address = 0;
    MacAddress mac = {};
    std::unique_ptr<PortLink> link;
    std::unique_ptr<nat::UserNetwork> outside;
    std::vector<Mapping> mappings;
  };
  Switch(os::EventLoop& loop, std::filesystem::path folder) : loop_(loop), folder_(std::move(folder)), fabric_(*this) {}
  Result<> plug(const Port& port);
  Result<> make_outside(const Port& port, Socket& socket);
  Result<> map_ports(const Port& port, Socket& socket);
  Result<> make_tunnel(const std::optional<Endpoint>& here);

  void to_port(const std::string& port, const packet::Offload& offload, std::span<const u8> frame) override;
  void to_nat(const std::string& port, std::span<const u8> frame) override;
  void to_tunnel(const Endpoint& host, u32 network, std::span<const u8> frame) override;

  os::EventLoop& loop_;
  const std::filesystem::path folder_;
  os::Fd folder_fd_;
  Fabric fabric_;
  std::unique_ptr<MetadataService> metadata_;
  std::map<std::string, Socket> sockets_;
  std::unique_ptr<Tunnel> tunnel_;
};

}  // namespace pileus::vswitch
