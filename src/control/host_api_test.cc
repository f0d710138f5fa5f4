// The cloud manager's side of the host protocol: what hosts may say and see.
#include "control/host_api.h"

#include <gtest/gtest.h>

#include "control/host_protocol.h"
#include "control/testing/cloud.h"

namespace pileus::control {
namespace {

using model::InstanceState;
using testing::Cloud;

class HostApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    cloud_.settle();
    id_ = cloud_.launch_surely(cloud_.request("")).instances[0];
    Scheduler scheduler(cloud_.store(), cloud_.clock, placement::kPacking, "alone");
    ASSERT_TRUE(scheduler.run_once());
    host_ = cloud_.stored<model::InstancePlaced>(model::placed_key(id_)).host;
    other_ = host_ == Cloud::host_id(0) ? Cloud::host_id(1) : Cloud::host_id(0);
  }

  HostAnswer ask(std::string_view path, const std::string& body, model::HostId host) {
    return api_.handle({std::string(path), body, host});
  }
  std::vector<Assignment> assignments(model::HostId host) {
    return parse_assignments(ask(kAssignmentsPath, "", host).body).value().instances;
  }
  Observation observation(InstanceState state) {
    Observation message;
    message.observed = cloud_.observed(id_);
    message.observed.epoch = cloud_.stored<model::InstancePlaced>(model::placed_key(id_)).epoch;
    message.observed.state = state;
    message.what = "test";
    return message;
  }

  Cloud cloud_{2};
  HostApi api_{cloud_.store(), cloud_.clock, "zone-a",
               [](const std::string& request, const model::HostId& id) -> Result<std::string> {
                 return "signed " + request + " for " + id.text();
               }};
  model::InstanceId id_;
  model::HostId host_;
  model::HostId other_;
};

TEST_F(HostApiTest, NobodyIsHeardWithoutACertificate) {
  for (const std::string_view path : {kReportPath, kAssignmentsPath, kObservePath}) {
    EXPECT_EQ(ask(path, "{}", {}).status, 403) << path;
  }
  EXPECT_EQ(ask("/v1/elsewhere", "{}", host_).status, 404);
}

TEST_F(HostApiTest, AHostSeesItsOwnInstancesOnly) {
  const std::vector<Assignment> mine = assignments(host_);
  ASSERT_EQ(mine.size(), 1U);
  EXPECT_EQ(mine[0].desired.id, id_);
  EXPECT_EQ(mine[0].placed.host, host_);
  EXPECT_TRUE(assignments(other_).empty());
}

TEST_F(HostApiTest, WhatIsObservedIsWrittenOnceItIsLegal) {
  EXPECT_EQ(ask(kObservePath, encode(observation(InstanceState::kStopping)), host_).status, 400) << "pending before";
  EXPECT_EQ(ask(kObservePath, encode(observation(InstanceState::kRunning)), host_).status, 200);
  EXPECT_EQ(cloud_.observed(id_).state, InstanceState::kRunning);
  EXPECT_EQ(cloud_.observed(id_).host, host_);
  EXPECT_EQ(ask(kObservePath, encode(observation(InstanceState::kRunning)), host_).status, 200) << "twice is as good";
}

TEST_F(HostApiTest, OthersAndEarlierEpochsAreNotHeard) {
  EXPECT_EQ(ask(kObservePath, encode(observation(InstanceState::kRunning)), other_).status, 404);
  Observation late = observation(InstanceState::kRunning);
  late.observed.epoch--;
  EXPECT_EQ(ask(kObservePath, encode(late), host_).status, 404);
  EXPECT_EQ(cloud_.observed(id_).state, InstanceState::kPending);
}

TEST_F(HostApiTest, AGuestThatEndedIsNotStartedAgain) {
  ASSERT_EQ(ask(kObservePath, encode(observation(InstanceState::kRunning)), host_).status, 200);
  Observation ended = observation(InstanceState::kStopping);
  ended.guest_ended = true;
  ASSERT_EQ(ask(kObservePath, encode(ended), host_).status, 200);
  EXPECT_EQ(cloud_.stored<model::InstanceDesired>(model::desired_key(id_)).power, model::Power::kStopped);
}

TEST_F(HostApiTest, AGuestThatEndedIsTerminatedWhereThatWasAskedFor) {
  auto desired = cloud_.stored<model::InstanceDesired>(model::desired_key(id_));
  desired.terminate_on_shutdown = true;
  ASSERT_TRUE(cloud_.store().put(model::desired_key(id_), model::encode(desired)).ok());
  ASSERT_EQ(ask(kObservePath, encode(observation(InstanceState::kRunning)), host_).status, 200);
  Observation ended = observation(InstanceState::kStopping);
  ended.guest_ended = true;
  ASSERT_EQ(ask(kObservePath, encode(ended), host_).status, 200);
  EXPECT_EQ(cloud_.stored<model::InstanceDesired>(model::desired_key(id_)).power, model::Power::kTerminated);
}

TEST_F(HostApiTest, PortsAreOpenWhereTheInterfaceIsToBeReached) {
  model::SecurityGroup group;
  group.id = model::SecurityGroupId(7);
  model::SecurityGroupRule rule;
  rule.protocol = "tcp";
  rule.from_port = rule.to_port = 22;
  rule.cidr = "0.0.0.0/0";
  group.rules = {rule};
  model::InterfaceDesired interface;
  interface.id = model::InterfaceId(8);
  interface.instance = id_;
  interface.wants_public = false;
  auto desired = cloud_.stored<model::InstanceDesired>(model::desired_key(id_));
  desired.interfaces = {interface.id};
  desired.security_groups = {group.id};
  const auto put = [&](const std::string& key, const auto& record) {
    ASSERT_TRUE(cloud_.store().put(key, model::encode(record)).ok());
  };
  put(model::desired_key(group.id), group);
  put(model::desired_key(interface.id), interface);
  put(model::desired_key(id_), desired);
  EXPECT_TRUE(assignments(host_).at(0).open_ports.empty());
  interface.elastic_address = "127.78.0.9";
  put(model::desired_key(interface.id), interface);
  EXPECT_EQ(assignments(host_).at(0).open_ports, std::set<u16>{22});
  EXPECT_EQ(assignments(host_).at(0).elastic_address, "127.78.0.9");
}

TEST_F(HostApiTest, ReportsKeepAHostAliveAndCarryConsoles) {
  HostReport report;
  report.observed.capacity = {4, 4096, 100};
  report.observed.engines = {"bt"};
  report.consoles[id_] = "login:";
  ASSERT_EQ(ask(kReportPath, encode(report), host_).status, 200);
  EXPECT_TRUE(cloud_.store().get(model::alive_key(host_)).value());
  EXPECT_EQ(api_.console(id_), "login:");
  report.consoles[id_] = "forged";
  ASSERT_EQ(ask(kReportPath, encode(report), other_).status, 200);
  EXPECT_EQ(api_.console(id_), "login:") << "it is not that host's instance";
}

TEST_F(HostApiTest, AHostCanTellAManagerFromTheOneBefore) {
  const auto manager_of = [&](HostApi& api) {
    return parse_report_answer(api.handle({std::string(kReportPath), encode(HostReport{}), host_}).body)
        .value()
        .manager;
  };
  const std::string first = manager_of(api_);
  EXPECT_FALSE(first.empty());
  EXPECT_EQ(manager_of(api_), first);
  HostApi after_restart(cloud_.store(), cloud_.clock, "zone-a", nullptr);
  EXPECT_NE(manager_of(after_restart), first);
  EXPECT_EQ(parse_report_answer("{}").value().manager, "") << "of an older one";
  EXPECT_FALSE(parse_report_answer("{\"manager\": 7}"));
  EXPECT_FALSE(parse_report_answer("ok"));
}

TEST_F(HostApiTest, ReportsCarryUsageOfTheHostsOwnInstances) {
  HostReport report;
  report.usage[id_] = {.cpu_us = 7, .memory_bytes = 6, .network_out_bytes = 5};
  ASSERT_EQ(ask(kReportPath, encode(report), host_).status, 200);
  cloud_.clock.advance(UsageLog::kStep);
  ASSERT_EQ(ask(kReportPath, encode(report), other_).status, 200) << "heard, but not of that instance";
  EXPECT_TRUE(api_.usage().samples(id_).empty());
  ASSERT_EQ(ask(kReportPath, encode(report), host_).status, 200);
  EXPECT_EQ(api_.usage().samples(id_).size(), 1U);
  EXPECT_EQ(parse_host_report(encode(report))->usage.at(id_), report.usage.at(id_));
}

TEST_F(HostApiTest, HostsThatTellNoUsageAreHeard) {
  std::string body = encode(HostReport{});
  const std::size_t at = body.find(",\"usage\":{}");
  ASSERT_NE(at, std::string::npos) << body;
  body.erase(at, std::string(",\"usage\":{}").size());
  EXPECT_EQ(ask(kReportPath, body, host_).status, 200);
}

TEST_F(HostApiTest, GarbageIsRefused) {
  for (const std::string_view path : {kReportPath, kObservePath, kJoinPath}) {
    for (const char* body : {"", "{", "[]", "{}", "null", "{\"observed\": 7, \"consoles\": []}", "\xFF\xFE"}) {
      EXPECT_EQ(ask(path, body, host_).status, 400) << path << " " << body;
    }
  }
}

}  // namespace
}  // namespace pileus::control
