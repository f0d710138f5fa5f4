#include "control/host_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "control/disk_reports.h"
#include "control/disk_tasks.h"
#include "control/host_protocol.h"
#include "control/image_reach.h"
#include "control/join_tokens.h"
#include "control/key_names.h"
#include "control/transfer_reports.h"
#include "model/account.h"
#include "model/image.h"
#include "model/network.h"

namespace pileus::control {
namespace {

using Json = nlohmann::json;
constexpr std::chrono::seconds kLease{20};
constexpr int kTries = 8;
// Of a host that joins, until the administrator says otherwise.
constexpr u32 kCpuPercent = 400;
constexpr u64 kReservedMemory = 1024;  // MiB

HostAnswer refuse(const Error& error) {
  int status = 500;
  if (error.code() == ErrorCode::kInvalid || error.code() == ErrorCode::kCorrupt) status = 400;
  if (error.code() == ErrorCode::kPermission) status = 403;
  if (error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kGone) status = 404;
  if (error.code() == ErrorCode::kTimeout || error.code() == ErrorCode::kBusy) status = 503;
  return {status, Json{{"error", error.message()}}.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

// What lets connections in, as single ports: the whole of the rules is the switch's to enforce.
std::vector<u16> open_ports(const model::SecurityGroup& group) {
  constexpr i32 kWidest = 16;
  constexpr u16 kSsh = 22;
  std::vector<u16> ports;
  for (const model::SecurityGroupRule& rule : group.rules) {
    const bool tcp = rule.protocol == "tcp" || rule.protocol == "-1";
    if (rule.egress || !tcp || rule.cidr.empty()) continue;
    const bool all = rule.protocol == "-1" || rule.from_port == -1;
    if (all || (rule.from_port <= kSsh && kSsh <= rule.to_port)) ports.push_back(kSsh);
    if (all || rule.to_port - rule.from_port >= kWidest) continue;
    for (i32 port = std::max(1, rule.from_port); port <= rule.to_port; ++port) ports.push_back(static_cast<u16>(port));
  }
  return ports;
}

Result<Assignment> assignment_of(state::Store& store, const InstanceView& instance) {
  Assignment assignment;
  assignment.desired = instance.desired.value;
  assignment.desired.power = power_on_host(instance);
  assignment.placed = instance.placed.value;
  assignment.observed = instance.observed.value;
  const model::InstanceDesired& desired = assignment.desired;
  assignment.image_name = TRY(read<model::ImageDesired>(store, model::desired_key(desired.image))).value.name;
  bool wants_public = true;
  if (!desired.interfaces.empty()) {
    const auto interface = TRY(read<model::InterfaceDesired>(store, model::desired_key(desired.interfaces[0])));
    assignment.private_address = interface.value.private_address;
    assignment.mac = interface.value.mac;
    assignment.elastic_address = interface.value.elastic_address;
    wants_public = interface.value.wants_public || !assignment.elastic_address.empty();
  }
  for (const model::SecurityGroupId id : desired.security_groups) {
    if (!wants_public) break;
    const auto group = TRY(read<model::SecurityGroup>(store, model::desired_key(id)));
    for (const u16 port : open_ports(group.value)) assignment.open_ports.insert(port);
  }
  if (desired.key_name.empty()) return assignment;
  const auto named = TRY(store.get(key_name_key(desired.account, desired.key_name)));
  if (!named) return assignment;
  const model::KeyPairId id = TRY(model::KeyPairId::parse(named->value));
  assignment.public_key = TRY(read<model::KeyPair>(store, model::desired_key(id))).value.public_key;
  return assignment;
}

}  // namespace

HostApi::HostApi(state::Store& store, const Clock& clock, std::string zone, Sign sign, std::shared_ptr<SharedView> view)
    : store_(store),
      clock_(clock),
      zone_(std::move(zone)),
      sign_(std::move(sign)),
      manager_(std::to_string(model::random_id())),
      view_(view_or_own(std::move(view), store)),
      networks_(store, view_) {}

HostAnswer HostApi::handle(const HostRequest& request) {
  Result<std::string> answer = Error(ErrorCode::kNotFound, "there is no " + request.path.substr(0, 80));
  if (request.path == kJoinPath) {
    answer = join(request.body);
  } else if (!request.host) {
    answer = Error(ErrorCode::kPermission, "a host shows its certificate: join the cloud first");
  } else if (request.path == kReportPath) {
    answer = report(request.host, request.body);
  } else if (request.path == kObservePath) {
    answer = observe(request.host, request.body);
  } else if (request.path == kObserveVolumePath || request.path == kObserveSnapshotPath ||
             request.path == kObserveTransferPath) {
    answer = observe_disk(request);
  } else if (request.path == kAssignmentsPath) {
    answer = assignments(request.host);
  } else if (request.path == kNetworkPath) {
    answer = networks_.answer(request.host);
  }
  if (answer) return {200, std::move(answer).value()};
  log::info("hosts: {}: {}", request.path.substr(0, 80), answer.error().message());
  return refuse(answer.error());
}

Result<std::string> HostApi::join(const std::string& body) {
  const JoinRequest request = TRY(parse_join_request(body));
  model::HostDesired desired;
  desired.id = model::HostId::random();
  desired.name = request.name;
  desired.zone = request.zone.empty() ? zone_ : request.zone;
  desired.rack = request.rack;
  desired.cpu_percent = kCpuPercent;
  desired.reserved_memory_mib = kReservedMemory;
  const std::lock_guard one_at_a_time(joining_);
  for (int i = 0; i < kTries; ++i) {
    const model::Millis now = clock_.now();
    auto token = TRY(find_good_join_token(store_, now, request.secret));
    const model::JoinTokenId by = token.value.id;
    const std::string certificate = TRY(sign_(request.certificate_request, desired.id));
    token.value.uses++;
    Change change;
    change.update(model::desired_key(by), token.value, token.revision);
    change.update(model::desired_key(desired.id), desired, 0);
    TRY(change.add_event(store_, model::events_key(by), {now, desired.id.text(), "used", "by " + request.name}));
    TRY(change.add_event(store_, model::events_key(desired.id),
                         {now, "join", "joined", request.name + ", by the token " + by.text()}));
    if (TRY(change.commit(store_))) return encode(JoinAnswer{desired.id, certificate});
  }
  return Error(ErrorCode::kBusy, "many hosts join at once: try again");
}

Result<> HostApi::keep_alive(model::HostId host, model::HostObserved observed) {
  observed.id = host;
  observed.reported_at = clock_.now();
  state::LeaseId lease = state::LeaseId::kNone;
  {
    const std::lock_guard lock(mutex_);
    lease = leases_[host];
  }
  if (lease != state::LeaseId::kNone) {
    const Result<std::chrono::seconds> kept = store_.keep_alive(lease);
    if (!kept && kept.error().code() != ErrorCode::kNotFound) return kept.error();
    if (!kept) lease = state::LeaseId::kNone;
  }
  const auto known = TRY(read<model::HostObserved>(store_, model::observed_key(host)));
  const auto desired = TRY(read<model::HostDesired>(store_, model::desired_key(host)));
  if (!desired.exists() || desired.value.mode == model::HostMode::kRetired) {
    return Error(ErrorCode::kGone, "this host was removed from the cloud: join anew");
  }
  // Its time alone is not worth a revision.
  model::HostObserved same = known.value;
  same.reported_at = observed.reported_at;
  if (lease != state::LeaseId::kNone && same == observed) return {};
  if (lease == state::LeaseId::kNone) lease = TRY(store_.grant_lease(kLease)).id;
  state::Transaction transaction;
  transaction.then.emplace_back(state::Put{model::observed_key(host), model::encode(observed)});
  transaction.then.emplace_back(state::Put{model::alive_key(host), "", lease});
  TRY(store_.commit(transaction));
  if (observed.disk_full != known.value.disk_full) {
    Change change;
    TRY(change.add_event(store_, model::events_key(host),
                         observed.disk_full
                             ? model::Event{observed.reported_at, host.text(), "disk full",
                                            "its instances get no more room, and no new ones come, until some is made"}
                             : model::Event{observed.reported_at, host.text(), "disk has room again", ""}));
    TRY(change.commit(store_));
  }
  const std::lock_guard lock(mutex_);
  leases_[host] = lease;
  return {};
}

Result<std::string> HostApi::report(model::HostId host, const std::string& body) {
  HostReport report = TRY(parse_host_report(body));
  for (const std::string& name : report.image_names) report.observed.images.push_back(library_image_id(name));
  TRY(keep_alive(host, std::move(report.observed)));
  TRY(note_layers(host, report));
  TRY(note_images(report));
  const std::lock_guard lock(mutex_);
  TRY(view_->read([&](View& view) {
    for (auto& [id, text] : report.consoles) {
      const InstanceView* instance = view.find(id);
      if (instance != nullptr && instance->placed.value.host == host) consoles_[id] = std::move(text);
    }
    for (const auto& [id, used] : report.usage) {
      const InstanceView* instance = view.find(id);
      if (instance != nullptr && instance->placed.value.host == host) usage_.add(id, clock_.now(), used);
    }
    std::erase_if(consoles_, [&](const auto& each) { return view.find(each.first) == nullptr; });
    usage_.forget_if([&](model::InstanceId id) { return view.find(id) == nullptr; });
  }));
  return encode(ReportAnswer{manager_});
}

std::string HostApi::console(model::InstanceId id) {
  const std::lock_guard lock(mutex_);
  const auto found = consoles_.find(id);
  return found == consoles_.end() ? std::string() : found->second;
}

Result<std::string> HostApi::assignments(model::HostId host) {
  std::vector<InstanceView> here;
  Assignments message;
  TRY(view_->read([&](View& view) {
    message.disks = disk_tasks(view, host);
    for (const model::InstanceId id : view.on_host(host)) {
      const InstanceView& instance = *view.find(id);
      if (instance.desired.exists() && instance.observed.exists()) here.push_back(instance);
    }
  }));
  for (const InstanceView& instance : here) message.instances.push_back(TRY(assignment_of(store_, instance)));
  return encode(message);
}

Result<std::string> HostApi::observe(model::HostId host, const std::string& body) {
  const Observation told = TRY(parse_observation(body));
  const model::InstanceId id = told.observed.id;
  for (int i = 0; i < kTries; ++i) {
    const auto placed = TRY(read<model::InstancePlaced>(store_, model::placed_key(id)));
    auto desired = TRY(read<model::InstanceDesired>(store_, model::desired_key(id)));
    const auto before = TRY(read<model::InstanceObserved>(store_, model::observed_key(id)));
    if (!placed.exists() || placed.value.host != host || placed.value.epoch != told.observed.epoch) {
      return Error(ErrorCode::kNotFound, "instance " + id.text() + " is not this host's");
    }
    model::InstanceObserved next = told.observed;
    next.host = host;
    next.changed_at = clock_.now();
    if (next.state != before.value.state) {
      model::InstanceState state = before.value.state;
      TRY(model::apply_move(state, next.state));
    }
    Change change;
    change.expect(model::placed_key(id), placed.revision);
    change.update(model::observed_key(id), next, before.revision);
    // A guest that has shut itself down is not to be started again: that was its owner's wish.
    if (told.guest_ended && desired.value.power == model::Power::kRunning) {
      desired.value.power = desired.value.terminate_on_shutdown ? model::Power::kTerminated : model::Power::kStopped;
      desired.value.generation++;
      change.update(model::desired_key(id), desired.value, desired.revision);
    } else {
      change.expect(model::desired_key(id), desired.revision);
    }
    TRY(change.add_event(store_, model::events_key(id), {next.changed_at, host.text(), told.what, told.why}));
    if (TRY(change.commit(store_))) return std::string("{}");
  }
  return Error(ErrorCode::kBusy, "instance " + id.text() + " is being changed by others: try again");
}

Result<std::string> HostApi::observe_disk(const HostRequest& request) {
  if (request.path == kObserveVolumePath) {
    const VolumeObservation told = TRY(parse_volume_observation(request.body));
    TRY(observe_volume(store_, clock_, request.host, told));
  } else if (request.path == kObserveTransferPath) {
    const TransferObservation told = TRY(parse_transfer_observation(request.body));
    TRY(observe_transfer(store_, clock_, request.host, told.observed));
  } else {
    const SnapshotObservation told = TRY(parse_snapshot_observation(request.body));
    TRY(observe_snapshot(store_, clock_, request.host, told));
  }
  return std::string("{}");
}

// Which layer the disk of an image of the library is: whoever knows first tells it.
Result<> HostApi::note_images(const HostReport& report) {
  std::vector<std::pair<model::ImageId, std::string>> news;
  TRY(view_->read([&](View& view) {
    for (const auto& [name, layer] : report.image_layers) {
      const model::ImageId id = library_image_id(name);
      const LibraryImage* image = view.disks().find(id);
      if (image != nullptr && !image->name.empty() && image->layer.empty()) news.emplace_back(id, layer);
    }
  }));
  for (const auto& [id, layer] : news) {
    auto observed = TRY(read<model::ImageObserved>(store_, model::observed_key(id)));
    if (!observed.exists() || !observed.value.manifest.empty()) continue;
    observed.value.manifest = layer;
    Change change;
    change.update(model::observed_key(id), observed.value, observed.revision);
    TRY(change.commit(store_));  // if others were quicker: the next report
  }
  return {};
}

// As seldom as they change.
Result<> HostApi::note_layers(model::HostId host, HostReport& report) {
  report.layers.id = host;
  std::ranges::sort(report.layers.layers);
  const auto known = TRY(read<model::HostLayers>(store_, model::layers_key(host)));
  const bool none = report.layers.layers.empty() && report.layers.address.empty();
  if (!known.exists() && none) return {};
  if (known.exists() && known.value == report.layers) return {};
  TRY(store_.put(model::layers_key(host), model::encode(report.layers)));
  return {};
}

}  // namespace pileus::control
