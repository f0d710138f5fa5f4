#include "vmm/config.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>

#include "engine/engine.h"
#include "machine/smbios/identity.h"
#include "packet/bytes.h"
#include "vmm/internal/json_reader.h"

namespace pileus::vmm {
namespace {

using Json = nlohmann::json;
constexpr u64 kPageSize = 4 * kKiB;

Error bad_field(const std::string& name) {
  return Error(ErrorCode::kInvalid, "config.json: \"" + name + "\" is missing or of the wrong kind");
}

Result<std::vector<PortForward>> parse_forwards(const Json& object) {
  const auto found = object.find("forwards");
  if (found == object.end() || !found->is_array()) return bad_field("forwards");
  std::vector<PortForward> forwards;
  for (const Json& entry : *found) {
    if (!entry.is_string()) return bad_field("forwards");
    forwards.push_back(TRY(parse_forward(entry.get<std::string>())));
  }
  return forwards;
}

Result<SystemTexts> parse_system(const Json& object) {
  SystemTexts system;
  const auto found = object.find("system");
  if (found == object.end()) return system;
  if (!found->is_object()) return bad_field("system");
  JsonReader reader(*found);
  reader.text("manufacturer", system.manufacturer);
  reader.text("product", system.product);
  reader.text("serial", system.serial);
  reader.text("asset_tag", system.asset_tag);
  reader.text("note", system.note);
  reader.text("uuid", system.uuid);
  if (!reader.wrong().empty()) return bad_field("system." + reader.wrong());
  return system;
}

Result<> check_system(const SystemTexts& system) {
  for (const std::string* text :
       {&system.manufacturer, &system.product, &system.serial, &system.asset_tag, &system.note}) {
    if (machine::is_smbios_text(*text)) continue;
    return Error(ErrorCode::kInvalid, "what a system says of itself is at most 64 printable ASCII characters long");
  }
  if (!system.uuid.empty() && !machine::parse_uuid(system.uuid)) {
    return Error(ErrorCode::kInvalid, "'" + system.uuid + "' is no UUID like 00112233-4455-6677-8899-aabbccddeeff");
  }
  return {};
}

}  // namespace

const char* engine_name(EngineChoice engine) {
  switch (engine) {
    case EngineChoice::kAuto: return "auto";
    case EngineChoice::kBt: return "bt";
    case EngineChoice::kKvm: return "kvm";
  }
  return "auto";
}

Result<EngineChoice> parse_engine(std::string_view text) {
  for (const EngineChoice engine : {EngineChoice::kAuto, EngineChoice::kBt, EngineChoice::kKvm}) {
    if (text == engine_name(engine)) return engine;
  }
  return Error(ErrorCode::kInvalid, "'" + std::string(text) + "' is not an engine: choose auto, bt or kvm");
}

const char* disk_bus_name(machine::DiskBus bus) { return bus == machine::DiskBus::kSata ? "sata" : "virtio"; }

Result<machine::DiskBus> parse_disk_bus(std::string_view text) {
  for (const machine::DiskBus bus : {machine::DiskBus::kVirtio, machine::DiskBus::kSata}) {
    if (text == disk_bus_name(bus)) return bus;
  }
  return Error(ErrorCode::kInvalid, "'" + std::string(text) + "' is no bus for disks: choose virtio or sata");
}

u16 VmConfig::ssh_port() const {
  constexpr u16 kSsh = 22;
  for (const PortForward& forward : forwards) {
    if (forward.guest_port == kSsh) return forward.host_port;
  }
  return 0;
}

std::string encode_config(const VmConfig& config) {
  Json forwards = Json::array();
  for (const PortForward& forward : config.forwards) {
    forwards.push_back(format_forward(forward));
  }
  const Json object = {{"name", config.name},
                       {"image", config.image},
                       {"base_disk", config.base_disk},
                       {"disk_folder", config.disk_folder},
                       {"disk_id", config.disk_id},
                       {"disk_bytes", config.disk_bytes},
                       {"memory_bytes", config.memory_bytes},
                       {"cpu_count", config.cpu_count},
                       {"engine", engine_name(config.engine)},
                       {"paravirt", config.paravirt},
                       {"forwards", forwards},
                       {"ssh_port_chosen", config.ssh_port_chosen},
                       {"kernel", config.kernel},
                       {"initrd", config.initrd},
                       {"append", config.append},
                       {"login_user", config.login_user},
                       {"identity_file", config.identity_file},
                       {"translation_cache_bytes", config.translation_cache_bytes},
                       {"translation_cache_file", config.translation_cache_file},
                       {"restrict_network", config.restrict_network},
                       {"mac", config.mac},
                       {"switch_port", config.switch_port},
                       {"system",
                        {{"manufacturer", config.system.manufacturer},
                         {"product", config.system.product},
                         {"serial", config.system.serial},
                         {"asset_tag", config.system.asset_tag},
                         {"note", config.system.note},
                         {"uuid", config.system.uuid}}},
                       {"modules", config.modules},
                       {"exit_port", config.exit_port},
                       {"legacy_devices", config.legacy_devices},
                       {"firmware", config.firmware},
                       {"cdrom", config.cdrom},
                       {"disk_bus", disk_bus_name(config.disk_bus)},
                       {"direct", config.direct},
                       {"cpu_model", config.cpu_model}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<VmConfig> parse_config(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) return Error(ErrorCode::kInvalid, "config.json is not a JSON object");
  VmConfig config;
  std::string engine, disk_bus = disk_bus_name(config.disk_bus);
  JsonReader reader(object);
  reader.text("name", config.name);
  reader.text("image", config.image);
  reader.text("base_disk", config.base_disk);
  if (reader.has("disk_folder")) reader.text("disk_folder", config.disk_folder);
  if (reader.has("disk_id")) reader.text("disk_id", config.disk_id);
  reader.number("disk_bytes", config.disk_bytes);
  reader.number("memory_bytes", config.memory_bytes);
  reader.number("cpu_count", config.cpu_count);
  reader.text("engine", engine);
  reader.flag("paravirt", config.paravirt);
  reader.flag("ssh_port_chosen", config.ssh_port_chosen);
  reader.text("kernel", config.kernel);
  reader.text("initrd", config.initrd);
  reader.text("append", config.append);
  reader.text("login_user", config.login_user);
  reader.text("identity_file", config.identity_file);
  if (reader.has("translation_cache_bytes")) reader.number("translation_cache_bytes", config.translation_cache_bytes);
  if (reader.has("translation_cache_file")) reader.text("translation_cache_file", config.translation_cache_file);
  if (reader.has("restrict_network")) reader.flag("restrict_network", config.restrict_network);
  if (reader.has("mac")) reader.text("mac", config.mac);
  if (reader.has("switch_port")) reader.text("switch_port", config.switch_port);
  if (reader.has("direct")) reader.flag("direct", config.direct);
  if (reader.has("modules")) reader.texts("modules", config.modules);
  if (reader.has("legacy_devices")) reader.flag("legacy_devices", config.legacy_devices);
  if (reader.has("firmware")) reader.text("firmware", config.firmware);
  if (reader.has("cdrom")) reader.text("cdrom", config.cdrom);
  if (reader.has("disk_bus")) reader.text("disk_bus", disk_bus);
  if (reader.has("exit_port")) reader.flag("exit_port", config.exit_port);
  if (reader.has("cpu_model")) reader.text("cpu_model", config.cpu_model);
  if (!reader.wrong().empty()) return bad_field(reader.wrong());
  config.engine = TRY(parse_engine(engine));
  config.disk_bus = TRY(parse_disk_bus(disk_bus));
  config.forwards = TRY(parse_forwards(object));
  config.system = TRY(parse_system(object));
  TRY(check(config));
  return config;
}

Result<> check(const VmConfig& config) {
  if (config.cpu_count < 1 || config.cpu_count > kMaxCpus) {
    return Error(ErrorCode::kInvalid,
                 "a VM has 1 to " + std::to_string(kMaxCpus) + " CPUs, not " + std::to_string(config.cpu_count));
  }
  TRY(engine::model_features(config.cpu_model));
  if (config.memory_bytes < kMinMemory || config.memory_bytes > kMaxMemory || config.memory_bytes % kPageSize != 0) {
    return Error(ErrorCode::kInvalid,
                 "a VM has from 32M to 252G of memory in whole pages of 4K, not " + format_size(config.memory_bytes));
  }
  if (config.translation_cache_bytes < kMinTranslationCache || config.translation_cache_bytes > kMaxTranslationCache) {
    return Error(ErrorCode::kInvalid,
                 "a translation cache has from 8M to 2G, not " + format_size(config.translation_cache_bytes));
  }
  if (!config.translation_cache_file.empty() && config.translation_cache_file.front() != '/') {
    return Error(ErrorCode::kInvalid,
                 "the translation cache's file needs a whole path, not '" + config.translation_cache_file + "'");
  }
  std::set<std::string> taken;
  for (const PortForward& forward : config.forwards) {
    if (!taken.insert(forward.address + ":" + std::to_string(forward.host_port)).second) {
      return Error(ErrorCode::kInvalid, "port " + std::to_string(forward.host_port) +
                                            " is forwarded twice: give each forward a port of its own");
    }
  }
  if (!config.mac.empty() && !packet::parse_mac(config.mac)) {
    return Error(ErrorCode::kInvalid, "'" + config.mac + "' is no MAC address like 02:00:00:00:00:01");
  }
  TRY(check_system(config.system));
  if (config.kernel.empty() && !config.initrd.empty()) {
    return Error(ErrorCode::kInvalid, "--initrd needs a --kernel to go with it");
  }
  if (config.kernel.empty() && !config.modules.empty()) {
    return Error(ErrorCode::kInvalid, "--module needs a --kernel to go with it");
  }
  if (!config.firmware.empty() && (!config.kernel.empty() || !config.append.empty())) {
    return Error(ErrorCode::kInvalid, "--firmware boots what the disk says: leave out --kernel and --append");
  }
  for (const std::string& module : config.modules) {
    if (module.empty() || module.front() == ' ') {
      return Error(ErrorCode::kInvalid, "a module has to begin with its file's name");
    }
  }
  return {};
}

Result<> check_host(const VmConfig& config) {
  const u64 host = static_cast<u64>(::sysconf(_SC_PHYS_PAGES)) * static_cast<u64>(::sysconf(_SC_PAGESIZE));
  if (config.memory_bytes > host) {
    return Error(ErrorCode::kExhausted, format_size(config.memory_bytes) + " of memory is more than this host's " +
                                            std::to_string(host / kMiB) + "M: choose a smaller --memory");
  }
  engine::CpuFeatures supported = engine::bt_cpu_features();
  if (config.engine == EngineChoice::kKvm) supported = TRY(engine::kvm_cpu_features());
  TRY(engine::resolve_model(config.cpu_model, supported));
  return {};
}

}  // namespace pileus::vmm
