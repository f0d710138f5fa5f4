// run: an instance, from the wish to the login.
#include <fcntl.h>

#include <cstdio>
#include <filesystem>
#include <thread>

#include "cloud/commands.h"
#include "cloud/launched.h"
#include "cloud/reach.h"
#include "cloud/rules.h"
#include "cloud/session.h"
#include "http/base64.h"
#include "http/certificates.h"
#include "image/recipe.h"
#include "image/seed.h"
#include "interrupt.h"
#include "output.h"

namespace pileus::cli {
namespace {

constexpr const char* kOwnKey = "pileus";
constexpr const char* kSshGroup = "ssh";
constexpr std::chrono::seconds kRunningPatience{120};
constexpr std::chrono::seconds kBootPatience{600};
constexpr u64 kMaxUserData = 16 * kKiB;

Result<std::string> image_id(const client::Cloud& cloud, const std::string& name) {
  if (name.starts_with("ami-")) return name;
  const client::Answer answer =
      TRY(cloud.call("DescribeImages", {{"Filter.1.Name", "name"}, {"Filter.1.Value.1", name}}));
  const std::vector<client::Node> images = answer.root.items("imagesSet");
  if (!images.empty()) return images.front().text("imageId");
  if (image::find_recipe(name) != nullptr) {
    return Error(ErrorCode::kNotFound,
                 "image " + name + " is not built yet: build it with `pileus image build " + name + "`");
  }
  return Error(ErrorCode::kNotFound,
               "the cloud has no image '" + name + "': `pileus image ls` shows those of this machine");
}

// The cloud's copy of our own key, imported when it is not there.
Result<std::string> own_key(const client::Cloud& cloud, image::Library& library) {
  const client::Answer known = TRY(cloud.ask("DescribeKeyPairs", {{"KeyName.1", kOwnKey}}));
  if (known.ok()) return std::string(kOwnKey);
  const std::filesystem::path key = TRY(library.own_key());
  const std::string text = TRY(os::read_file(key.string() + ".pub"));
  TRY(cloud.call("ImportKeyPair", {{"KeyName", kOwnKey}, {"PublicKeyMaterial", http::encode_base64(text)}}));
  return std::string(kOwnKey);
}

Result<std::string> find_group(const client::Cloud& cloud, const std::string& name) {
  const client::Answer known = TRY(cloud.ask("DescribeSecurityGroups", {{"GroupName.1", name}}));
  return known.ok() ? known.root.items("securityGroupInfo").at(0).text("groupId") : std::string();
}

// A new group that lets these ports in; nothing is left of it when that fails.
Result<std::string> make_group(const client::Cloud& cloud, const std::string& name, const std::string& description,
                               const std::vector<std::string>& ports) {
  client::Parameters rules;
  for (std::size_t i = 0; i < ports.size(); ++i) TRY(add_rule(rules, i + 1, ports[i]));
  const client::Answer made =
      TRY(cloud.call("CreateSecurityGroup", {{"GroupName", name}, {"GroupDescription", description}}));
  std::string id = made.root.text("groupId");
  rules["GroupId"] = id;
  const Result<client::Answer> opened = cloud.call("AuthorizeSecurityGroupIngress", rules);
  if (opened) return id;
  static_cast<void>(cloud.call("DeleteSecurityGroup", {{"GroupId", id}}));  // the first failure is the one to be told
  return opened.error();
}

Result<std::string> ssh_group(const client::Cloud& cloud) {
  std::string known = TRY(find_group(cloud, kSshGroup));
  if (!known.empty()) return known;
  return make_group(cloud, kSshGroup, "SSH from everywhere", {"22"});
}

// Always a new one: that of an earlier instance of the same name lets other ports in.
Result<std::string> own_group(const client::Cloud& cloud, const std::string& instance,
                              const std::vector<std::string>& ports) {
  std::string name = "run-" + instance;
  for (int number = 2; !TRY(find_group(cloud, name)).empty(); ++number) {
    name = "run-" + instance + "-" + std::to_string(number);
  }
  return make_group(cloud, name, "what `pileus run --allow` asked for", ports);
}

Result<client::Parameters> request_of(const client::Cloud& cloud, image::Library& library, const CloudOptions& options,
                                      const std::string& name) {
  client::Parameters request = {{"InstanceType", options.type},
                                {"MinCount", std::to_string(options.count)},
                                {"MaxCount", std::to_string(options.count)},
                                {"TagSpecification.1.ResourceType", "instance"},
                                {"TagSpecification.1.Tag.1.Key", "Name"},
                                {"TagSpecification.1.Tag.1.Value", name}};
  request["ImageId"] = TRY(image_id(cloud, options.image));
  request["ClientToken"] = TRY(http::random_hex(16));
  request["KeyName"] = options.key.empty() ? TRY(own_key(cloud, library)) : options.key;
  std::size_t groups = 0;
  for (const std::string& group : options.groups) {
    request[(group.starts_with("sg-") ? "SecurityGroupId." : "SecurityGroup.") + std::to_string(++groups)] = group;
  }
  if (groups == 0) {
    request["SecurityGroupId." + std::to_string(++groups)] = TRY(ssh_group(cloud));
  }
  if (!options.allow.empty()) {
    request["SecurityGroupId." + std::to_string(++groups)] = TRY(own_group(cloud, name, options.allow));
  }
  if (options.disk_gib != 0) {
    request["BlockDeviceMapping.1.DeviceName"] = "/dev/xvda";
    request["BlockDeviceMapping.1.Ebs.VolumeSize"] = std::to_string(options.disk_gib);
  }
  if (!options.user_data.empty()) {
    const std::string text = TRY(os::read_file(options.user_data, kMaxUserData).with("--user-data"));
    request["UserData"] = http::encode_base64(text);
  }
  return request;
}

}  // namespace

Result<int> cloud_run(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  const CloudOptions& options = line.cloud;
  const std::string name = options.name.empty() ? TRY(unused_name(cloud, options.image)) : options.name;
  const client::Parameters request = TRY(request_of(cloud, library, options, name));
  catch_interrupts();
  const client::Answer answer = TRY(cloud.call("RunInstances", request));
  return follow_launch(library, cloud, line, answer, {name, "", kRunningPatience});
}

Result<int> cloud_wait(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  catch_interrupts();
  InstanceInfo instance = TRY(find_instance(cloud, line.name));
  instance = TRY(wait_for_state(cloud, instance, "running", kRunningPatience));
  TRY(wait_for_login(library, cloud, instance,
                     line.timeout_s == 0 ? kBootPatience : std::chrono::seconds(line.timeout_s)));
  print_login(library, instance);
  return 0;
}

}  // namespace pileus::cli
