#include "vswitch/switch.h"

#include <fcntl.h>

#include <algorithm>

#include "os/file.h"

namespace pileus::vswitch {
namespace {

Time now() { return std::chrono::steady_clock::now(); }

nat::Forward forward_of(const Mapping& mapping, Ipv4Address guest) {
  return {.host_address = mapping.host_address,
          .host_port = mapping.host_port,
          .guest_address = guest,
          .guest_port = mapping.guest_port};
}

}  // namespace

Result<std::unique_ptr<Switch>> Switch::create(os::EventLoop& loop, const std::filesystem::path& folder) {
  std::unique_ptr<Switch> self(new Switch(loop, folder));
  TRY(os::make_directories(folder));
  self->folder_fd_ = TRY(os::open_file(folder, O_PATH | O_DIRECTORY));
  self->metadata_ = TRY(MetadataService::start(loop));
  return self;
}

Switch::~Switch() = default;

std::map<std::string, std::string> Switch::apply(Config config) {
  std::map<std::string, std::string> problems;
  for (auto each = sockets_.begin(); each != sockets_.end();) {
    const auto wanted = config.ports.find(each->first);
    // One whose guest has got another address is another port.
    const bool same = wanted != config.ports.end() && wanted->second.address == each->second.address &&
                      wanted->second.mac == each->second.mac;
    if (!same) metadata_->remove(each->first);
    each = same ? std::next(each) : sockets_.erase(each);
  }
  if (const Result<> made = make_tunnel(config.tunnel); !made) problems[""] = made.error().message();
  // First the rules, then who they are for.
  fabric_.apply(std::move(config));
  for (const auto& [id, port] : fabric_.config().ports) {
    const Result<> plugged = plug(port);
    if (!plugged) problems[id] = plugged.error().message();
  }
  return problems;
}

Result<> Switch::plug(const Port& port) {
  Socket& socket = sockets_[port.id];
  socket.address = port.address;
  socket.mac = port.mac;
  if (!socket.link) {
    socket.link = TRY(PortLink::create(loop_, folder_ / (port.id + ".port"),
                                       [this, id = port.id](const packet::Offload& offload, std::span<u8> frame) {
                                         fabric_.from_port(id, offload, frame, now());
                                       }));
  }
  TRY(metadata_->add(port.id, folder_ / (port.id + ".metadata"), port.metadata));
  if (!socket.outside) TRY(make_outside(port, socket));
  return map_ports(port, socket);
}

Result<> Switch::make_outside(const Port& port, Socket& socket) {
  nat::UserNetworkOptions options;
  options.network = kLinkLocal;
  options.mask = 0xFFFF'0000;
  options.gateway = kHostBehind;
  options.name_server = kNameServer;
  options.guest = kLinkLocal + 15;  // never used: the switch itself is the DHCP server
  options.mtu = fabric_.config().mtu;
  std::unique_ptr<nat::UserNetwork> outside = TRY(nat::UserNetwork::create(loop_, options));
  // By our descriptor, which makes it short: a socket's path has 107 bytes.
  TRY(outside->add_service(kMetadataServer, 80,
                           "/proc/self/fd/" + std::to_string(folder_fd_.get()) + "/" + port.id + ".metadata"));
  outside->set_receiver([this, id = port.id](std::span<const u8> frame) {
    std::vector<u8> bytes(frame.begin(), frame.end());
    fabric_.from_nat(id, bytes, now());
  });
  // So that it never has to ask.
  outside->send(packet::build_arp(packet::kBroadcast, {.operation = packet::Arp::kReply,
                                                       .sender_mac = port.mac,
                                                       .sender = port.address,
                                                       .target_mac = packet::kBroadcast,
                                                       .target = kHostBehind}));
  socket.outside = std::move(outside);
  socket.mappings.clear();
  return {};
}

Result<> Switch::map_ports(const Port& port, Socket& socket) {
  for (const Mapping& old : socket.mappings) {
    if (std::ranges::find(port.mappings, old) == port.mappings.end()) {
      socket.outside->remove_forward(forward_of(old, port.address));
    }
  }
  std::erase_if(socket.mappings,
                [&](const Mapping& old) { return std::ranges::find(port.mappings, old) == port.mappings.end(); });
  Result<> outcome;
  for (const Mapping& wanted : port.mappings) {
    if (std::ranges::find(socket.mappings, wanted) != socket.mappings.end()) continue;
    const Result<> added = socket.outside->add_forward(forward_of(wanted, port.address));
    if (added) socket.mappings.push_back(wanted);
    else outcome = added;
  }
  return outcome;
}

Result<> Switch::make_tunnel(const std::optional<Endpoint>& here) {
  if (tunnel_ && here && tunnel_->here() == *here) return {};
  tunnel_.reset();
  if (!here) return {};
  tunnel_ = TRY(Tunnel::create(loop_, *here, [this](const Endpoint& host, u32 network, std::span<u8> frame) {
    fabric_.from_tunnel(host, network, frame, now());
  }));
  return {};
}

std::map<std::string, PortStatus> Switch::status() const {
  std::map<std::string, PortStatus> list;
  for (const auto& [id, socket] : sockets_) {
    list[id] = {.connected = socket.link && socket.link->connected(),
                .dropped = socket.link ? socket.link->dropped() : 0,
                .counters = fabric_.counters(id)};
  }
  return list;
}

void Switch::to_port(const std::string& port, const packet::Offload& offload, std::span<const u8> frame) {
  const auto found = sockets_.find(port);
  if (found != sockets_.end() && found->second.link) found->second.link->send(offload, frame);
}

void Switch::to_nat(const std::string& port, std::span<const u8> frame) {
  const auto found = sockets_.find(port);
  if (found != sockets_.end() && found->second.outside) found->second.outside->send(frame);
}

void Switch::to_tunnel(const Endpoint& host, u32 network, std::span<const u8> frame) {
  if (tunnel_) tunnel_->send(host, network, frame);
}

}  // namespace pileus::vswitch
