// Seeds for what the parts of a cloud send each other.
#include <string_view>

#include "base/result.h"
#include "control/console_protocol.h"
#include "control/host_protocol.h"
#include "control/network_protocol.h"
#include "http/certificates.h"
#include "seeds.h"
#include "state/etcd/protobuf.h"

namespace pileus::fuzz {
namespace {

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

}  // namespace

std::vector<Bytes> base64_seeds() { return {bytes_of("Zm9vYmFy"), bytes_of("Zm8="), bytes_of("Zg==")}; }

std::vector<Bytes> join_token_seeds() {
  return {
      bytes_of("pileus1.000102030405060708090a0b0c0d0e0f."
               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")};
}

std::vector<Bytes> csr_seeds() {
  const auto key = http::make_key();
  CHECK(key.ok());
  const auto request = http::make_request(*key, "host");
  CHECK(request.ok());
  return {bytes_of(*request)};
}

// As etcd 3.4.23 sends them; the first byte is state::fuzz_etcd_answer()'s choice.
std::vector<Bytes> etcd_seeds() {
  using Message = state::etcd::MessageWriter;
  const auto header = [] {
    return Message().number(1, 0xcdf818194e3a8c32 >> 1).number(2, 7).number(3, 3).number(4, 2);
  };
  const auto entry = [] {
    return Message().bytes(1, "a").number(2, 2).number(3, 3).number(4, 2).bytes(5, "2").number(6, 7);
  };
  const auto seed = [](char choice, Message message) { return bytes_of(choice + message.take()); };
  const auto range = [&] { return Message().message(1, header()).message(2, entry()).number(3, 1).number(4, 9); };
  const Message put = Message().message(2, Message().message(1, header()));
  const Message get = Message().message(1, range());
  const Message erase = Message().message(3, Message().message(1, header()).number(2, 1));
  const Message event = Message().message(2, entry());
  const Message gone = Message().number(1, 1).message(2, Message().bytes(1, "a").number(3, 4));
  return {
      seed('0', Message().message(1, header()).number(2, 1).message(3, put).message(3, get).message(3, erase)),
      seed('0', Message().message(1, header()).message(3, get)),
      seed('1', range()),
      seed('2', Message().message(1, header()).number(2, 2324035572153446409).number(3, 2)),
      seed('3', Message().message(1, header()).number(2, 12345).number(3, 60)),
      seed('4', Message().message(1, header()).number(7, 1).message(11, event).message(11, gone)),
      seed('4', Message().message(1, header()).number(4, 1).number(5, 2).bytes(6, "compacted")),
      bytes_of(std::string("5\0\0\0\0\x02hi", 8)),
      bytes_of("514etcdserver: no leader"),
      bytes_of("511etcdserver: mvcc: required revision has been compacted%0A"),
  };
}

// The first byte is where client::fuzz_events() cuts.
std::vector<Bytes> event_seeds() {
  return {
      bytes_of("\tevent: hello\ndata: {}\n\n:\n\nevent: output\r\ndata: bHM=\r\n\r\nevent: ended\ndata: \"x\"\n\n")};
}

std::vector<Bytes> query_seeds() {
  return {
      bytes_of("Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=tag%3Astage&Filter.1.Value.1=te%2Ast&"
               "MaxResults=5&NextToken=YWZ0ZXI6aS0wMTIzNDU2Nzg5YWJjZGVm"),
      bytes_of("Action=RunInstances&Version=2016-11-15&ImageId=ami-0123456789abcdef0&InstanceType=t3.micro&MaxCount=1&"
               "MinCount=1&SecurityGroup.1=web&UserData=IyEvYmluL3NoCnRydWU%3D&DryRun=false&"
               "TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=Name&"
               "TagSpecification.1.Tag.1.Value=a+b"),
      bytes_of("Action=CreateTags&ResourceId.0=i-0123456789abcdef0&Tag.0.Key=stage&Tag.0.Value=test"),
      bytes_of("Action=AuthorizeSecurityGroupIngress&GroupName=web&IpPermissions.1.IpProtocol=tcp&"
               "IpPermissions.1.FromPort=22&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0%2F0"),
  };
}

// Their signatures are made with other secrets.
std::vector<Bytes> signature_seeds() {
  return {
      bytes_of("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/ec2/aws4_request, "
               "SignedHeaders=content-type;host;x-amz-date, "
               "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\n"
               "20150830T123600Z\n127.0.0.1:8773\n\nAction=DescribeRegions&Version=2016-11-15"),
      bytes_of("\n\n127.0.0.1:8773\nAction=DescribeRegions&X-Amz-Algorithm=AWS4-HMAC-SHA256&"
               "X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fec2%2Faws4_request&"
               "X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=5d672d79c15b\n"),
      bytes_of(
          "\n\n127.0.0.1:8773\nAction=DescribeRegions&AWSAccessKeyId=AKIDEXAMPLE&SignatureVersion=2&"
          "SignatureMethod=HmacSHA256&Timestamp=2015-08-30T12%3A36%3A00Z&Signature=i91nKc4PWAt0JJIdXwz9HxZCJDd%3D\n"),
  };
}

std::vector<Bytes> filter_seeds() { return {bytes_of("te*t?\\*\ntest1*"), bytes_of("*a*b*c*\naabbcc")}; }

std::vector<Bytes> public_key_seeds() {
  return {
      bytes_of("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKSUTyz1HwHReFVvD5obVsALAgJRNarH4TRpNePnAS me@here"),
      bytes_of("ssh-rsa "
               "AAAAB3NzaC1yc2EAAAADAQABAAAAgQCVcGFHSWTrhRh85Ar8oklJyYko6pz+"
               "nxHbWMW2UPdA8ORyZJJ4M8I1bRs6vhC0kFcWBTYgIqToVyC9IAxXegwlV+sepldN2J/"
               "nHWdpcm+Mem+UMVezPfvD3BEVhvbsZrWI+9TlJ05lkiKZeG5N3VaPvxUTHXwc09al/j7sZQpRUQ== me"),
  };
}

std::vector<Bytes> host_message_seeds() {
  control::HostReport report;
  report.consoles[model::InstanceId(7)] = "login: ";
  control::Assignment assignment;
  assignment.desired.id = model::InstanceId(7);
  assignment.image_name = "debian-12";
  assignment.open_ports = {22, 80};
  control::Observation observation;
  observation.observed.id = model::InstanceId(7);
  control::HostNetwork network;
  network.networks[7] = {"172.31.0.0/16"};
  network.ports = {control::NetworkPort{}};
  network.ports[0].instance = model::InstanceId(7);
  network.ports[0].interface = model::InterfaceId(7);
  network.groups = {{.record = {}, .members = {"172.31.0.5"}}};
  network.remotes = {{.network = 7, .mac = "02:00:00:00:00:01", .address = "172.31.0.6", .host = "10.0.0.2:4789"}};
  return {
      bytes_of(control::encode(network)),
      bytes_of(control::encode(report)),
      bytes_of(control::encode(control::ReportAnswer{"7"})),
      bytes_of(control::encode(control::Assignments{.instances = {assignment}, .disks = {}})),
      bytes_of(control::encode(observation)),
      bytes_of(control::encode(control::JoinRequest{"secret", "name", "", "", "request"})),
      bytes_of(control::encode(control::ConsoleWishes{9, {model::InstanceId(7)}, {{9, model::InstanceId(7), "ls"}}})),
      bytes_of(control::encode(control::ConsoleOutput{model::InstanceId(7), "login: ", ""})),
      bytes_of(control::encode(control::JoinAnswer{model::HostId(7), "certificate"}))};
}

}  // namespace pileus::fuzz
