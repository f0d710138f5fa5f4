#include "vmm/config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "engine/engine.h"

namespace pileus::vmm {
namespace {

VmConfig example() {
  VmConfig config;
  config.name = "web";
  config.image = "debian-12";
  config.base_disk = "/images/debian-12/disk.raw";
  config.disk_bytes = 8 * kGiB;
  config.memory_bytes = 512 * kMiB;
  config.cpu_count = 2;
  config.engine = EngineChoice::kBt;
  config.paravirt = false;
  config.direct = false;
  config.disk_bus = machine::DiskBus::kSata;
  config.forwards = {{.host_port = 8080, .guest_port = 80}, {.host_port = 2222, .guest_port = 22}};
  config.modules = {"/boot/module a=b"};
  config.exit_port = true;
  config.legacy_devices = true;
  config.append = "quiet \"quoted\"";
  config.kernel = "/boot/kernel";
  config.login_user = "debian";
  config.system = {.manufacturer = "Maker",
                   .product = "t3.micro",
                   .serial = "1",
                   .asset_tag = "i-1",
                   .note = "a=b",
                   .uuid = "00112233-4455-6677-8899-aabbccddeeff"};
  return config;
}

TEST(Config, ComesBackAsWritten) {
  const VmConfig written = example();
  const VmConfig read = parse_config(encode_config(written)).value();
  EXPECT_EQ(encode_config(read), encode_config(written));
  EXPECT_EQ(read.forwards, written.forwards);
  EXPECT_EQ(read.engine, EngineChoice::kBt);
  EXPECT_FALSE(read.paravirt);
  EXPECT_FALSE(read.direct);
  EXPECT_EQ(read.modules, written.modules);
  EXPECT_TRUE(read.exit_port);
  EXPECT_EQ(read.disk_bus, machine::DiskBus::kSata);
  EXPECT_TRUE(read.legacy_devices);
  EXPECT_EQ(read.ssh_port(), 2222);
}

TEST(Config, RefusesEachFieldMissingOrOfAnotherKind) {
  const nlohmann::json good = nlohmann::json::parse(encode_config(example()));
  const std::set<std::string> later{"translation_cache_bytes",
                                    "restrict_network",
                                    "direct",
                                    "cpu_model",
                                    "modules",
                                    "exit_port",
                                    "legacy_devices",
                                    "firmware",
                                    "cdrom",
                                    "disk_bus",
                                    "mac",
                                    "switch_port",
                                    "disk_id",
                                    "disk_folder",
                                    "system",
                                    "translation_cache_file"};
  for (const auto& [name, value] : good.items()) {
    nlohmann::json missing = good;
    missing.erase(name);
    EXPECT_EQ(parse_config(missing.dump()).ok(), later.contains(name)) << name;
    nlohmann::json wrong = good;
    wrong[name] = nlohmann::json::object();
    EXPECT_FALSE(parse_config(wrong.dump()).ok()) << name;
  }
}

TEST(Config, FieldsOfLaterVersionsAreUsualWhenAbsentAndIgnoredWhenUnknown) {
  VmConfig unusual = example();
  unusual.translation_cache_bytes = 64 * kMiB;
  unusual.translation_cache_file = "/translations";
  unusual.restrict_network = true;
  unusual.direct = false;
  unusual.cpu_model = "v2";
  nlohmann::json object = nlohmann::json::parse(encode_config(unusual));
  EXPECT_TRUE(parse_config(object.dump()).value().restrict_network);
  EXPECT_EQ(parse_config(object.dump()).value().translation_cache_file, "/translations");
  object.erase("translation_cache_file");
  object.erase("translation_cache_bytes");
  object.erase("restrict_network");
  object.erase("direct");
  object.erase("cpu_model");
  object["of_a_later_version"] = 1;
  const VmConfig read = parse_config(object.dump()).value();
  EXPECT_EQ(read.translation_cache_bytes, VmConfig().translation_cache_bytes);
  EXPECT_EQ(read.translation_cache_file, "");
  EXPECT_FALSE(read.restrict_network);
  EXPECT_EQ(read.cpu_model, "host");
}

TEST(Config, RefusesAnUnknownCpuModel) {
  VmConfig config = example();
  config.cpu_model = "pentium";
  EXPECT_FALSE(parse_config(encode_config(config)));
}

TEST(Config, RefusesWhatIsNoObject) {
  for (const char* text : {"", "{", "[]", "null", "1", "\"x\"", "{\"name\":}", "\xff\xfe"}) {
    EXPECT_FALSE(parse_config(text).ok()) << text;
  }
}

TEST(Config, NumbersAreNotCutShort) {
  nlohmann::json object = nlohmann::json::parse(encode_config(example()));
  object["cpu_count"] = (u64{1} << 32) + 1;
  EXPECT_FALSE(parse_config(object.dump()).ok());
  object["cpu_count"] = -1;
  EXPECT_FALSE(parse_config(object.dump()).ok());
}

TEST(Config, ChecksRanges) {
  const auto refused = [](auto change) {
    VmConfig config = example();
    change(config);
    return !check(config).ok();
  };
  EXPECT_FALSE(refused([](VmConfig&) {}));
  EXPECT_TRUE(refused([](VmConfig& config) { config.cpu_count = 0; }));
  EXPECT_TRUE(refused([](VmConfig& config) { config.cpu_count = kMaxCpus + 1; }));
  EXPECT_TRUE(refused([](VmConfig& config) { config.memory_bytes = kMinMemory - 4096; }));
  EXPECT_TRUE(refused([](VmConfig& config) { config.memory_bytes = kMaxMemory + 4096; }));
  EXPECT_TRUE(refused([](VmConfig& config) { config.memory_bytes += 1; }));
  EXPECT_TRUE(refused([](VmConfig& config) { config.forwards.push_back({.host_port = 8080, .guest_port = 1}); }));
  EXPECT_TRUE(refused([](VmConfig& config) {
    config.kernel.clear();
    config.modules.clear();
    config.initrd = "/initrd";
  }));
  EXPECT_TRUE(refused([](VmConfig& config) { config.kernel.clear(); }));  // modules without it
  EXPECT_TRUE(refused([](VmConfig& config) { config.modules = {" /module"}; }));
  EXPECT_TRUE(refused([](VmConfig& config) { config.firmware = "/bios"; }));  // and a kernel
}

TEST(Config, ChecksTheHost) {
  VmConfig config = example();
  EXPECT_TRUE(check_host(config).ok());
  config.engine = EngineChoice::kKvm;
  EXPECT_EQ(check_host(config).ok(), engine::kvm_cpu_features().ok());
  config = example();
  config.memory_bytes = u64{1} << 50;
  EXPECT_EQ(check_host(config).error().code(), ErrorCode::kExhausted);
}

}  // namespace
}  // namespace pileus::vmm
