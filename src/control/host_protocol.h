// The messages between hosts and the cloud manager (docs/formats/host-protocol.md), as JSON.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/disk_protocol.h"
#include "control/usage_log.h"
#include "model/host.h"

namespace pileus::control {

inline constexpr std::string_view kJoinPath = "/v1/join";
inline constexpr std::string_view kReportPath = "/v1/report";
inline constexpr std::string_view kObservePath = "/v1/observe";
// ?known=DIGEST: waits until the answer is another one than that of this digest, at most kLongPoll.
inline constexpr std::string_view kAssignmentsPath = "/v1/assignments";
// What the host's virtual switch has to know (network_protocol.h).
inline constexpr std::string_view kNetworkPath = "/v1/network";
// The certificate of the cloud's authority, for those who know its fingerprint.
inline constexpr std::string_view kAuthorityPath = "/v1/authority";
inline constexpr std::chrono::seconds kLongPoll{20};

struct JoinRequest {
  std::string secret;               // of the join token
  std::string name;                 // of the machine
  std::string zone;                 // empty: the cloud's first
  std::string rack;
  std::string certificate_request;  // PEM
};
struct JoinAnswer {
  model::HostId id;
  std::string certificate;  // PEM
};

// What a host has, every few seconds: it also says that it lives.
struct HostReport {
  model::HostObserved observed;                     // id and reported_at are filled in by the cloud manager
  std::map<model::InstanceId, std::string> consoles;  // tails of the consoles that have changed
  std::map<model::InstanceId, InstanceUsage> usage;  // of those that run
  model::HostLayers layers;  // id is filled in by the cloud manager
  std::vector<std::string> image_names;  // of its library
  std::map<std::string, std::string> image_layers;  // the layer that the disk of an image of its library is, by name
};

struct ReportAnswer {
  // Of the cloud manager that took the report, another one after each start: it has nothing of what hosts told others.
  // Empty: it is an older one.
  std::string manager;
};

// One instance that the host is to care for, with all it needs for that.
struct Assignment {
  model::InstanceDesired desired;
  model::InstancePlaced placed;
  model::InstanceObserved observed;
  std::string image_name;
  std::string public_key;  // OpenSSH's line; may be empty
  std::string private_address;
  std::string mac;
  std::set<u16> open_ports;  // TCP, that may be reached from outside
  std::string elastic_address;  // at which they are to be reached; empty: the host chooses one
};

// Everything that the host is to care for.
struct Assignments {
  std::vector<Assignment> instances;
  DiskTasks disks;
};

// What became of an instance.
struct Observation {
  model::InstanceObserved observed;  // host and changed_at are filled in by the cloud manager
  bool guest_ended = false;  // by itself
  std::string what;  // for the event: "running"
  std::string why;
};

std::string encode(const JoinRequest& message);
std::string encode(const JoinAnswer& message);
std::string encode(const HostReport& message);
std::string encode(const ReportAnswer& message);
std::string encode(const Assignments& message);
std::string encode(const Observation& message);

// kCorrupt: not JSON, a field missing or of the wrong kind, too long.
Result<JoinRequest> parse_join_request(std::string_view text);
Result<JoinAnswer> parse_join_answer(std::string_view text);
Result<HostReport> parse_host_report(std::string_view text);
Result<ReportAnswer> parse_report_answer(std::string_view text);
Result<Assignments> parse_assignments(std::string_view text);
Result<Observation> parse_observation(std::string_view text);

}  // namespace pileus::control
