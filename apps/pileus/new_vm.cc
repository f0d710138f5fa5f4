#include "new_vm.h"

#include <fcntl.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "host/vm_maker.h"
#include "image/recipe.h"
#include "image/seed.h"
#include "os/tcp.h"
#include "vmm/disks.h"
#include "vmm/units.h"

namespace pileus::cli {
namespace {

namespace fs = std::filesystem;
constexpr u64 kUsualDisk = 8 * kGiB;
constexpr u64 kMaxUserData = 1 * kMiB;
constexpr u16 kSshPort = 22;
constexpr const char* kUsualUser = "debian";

// That many random hexadecimal digits, at most 32.
std::string random_digits(std::size_t count) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<u8, 32> random = {};
  CHECK(::getrandom(random.data(), count, 0) == static_cast<ssize_t>(count));
  std::string digits;
  for (std::size_t i = 0; i < count; ++i) digits += kDigits[random[i] % kDigits.size()];
  return digits;
}

// An instance id in the form that EC2 uses, so that tools for it are content.
std::string new_instance_id() { return "i-" + random_digits(17); }

// RFC 4122, version 4.
std::string new_uuid() {
  return random_digits(8) + "-" + random_digits(4) + "-4" + random_digits(3) + "-8" + random_digits(3) + "-" +
         random_digits(12);
}

// The absolute path of a file that the user named and that can be read.
Result<std::string> readable_file(const std::string& path, const char* option) {
  const Result<os::Fd> opened = os::open_file(path, O_RDONLY);
  if (!opened) return Error(opened.error().code(), std::string(option) + ": " + opened.error().message());
  if (fs::is_directory(path)) return Error(ErrorCode::kInvalid, std::string(option) + ": " + path + " is a folder");
  return fs::absolute(path).lexically_normal().string();
}

Result<> choose_source(const image::Library& library, const RunOptions& options, vmm::VmConfig& config) {
  const Result<image::ImageInfo> image = library.find(options.source);
  if (image) {
    config.image = image->name;
    config.base_disk = library.disk_of(image->name).string();
    config.login_user = image->login_user;
    return {};
  }
  if (fs::exists(options.source)) {
    config.base_disk = TRY(readable_file(options.source, "DISK"));
    config.login_user = kUsualUser;
    return {};
  }
  if (image::find_recipe(options.source) != nullptr) {
    return Error(
        ErrorCode::kNotFound,
        "image " + options.source + " is not built yet: build it with `pileus image build " + options.source + "`");
  }
  return Error(ErrorCode::kNotFound,
               "there is no image and no file '" + options.source + "': `pileus image ls` shows the images");
}

Result<> choose_disk_size(const RunOptions& options, vmm::VmConfig& config) {
  const u64 base = TRY(vmm::probe_base_disk(config.base_disk));
  config.disk_bytes = config.image.empty() ? base : std::max(base, kUsualDisk);
  if (options.disk_size.empty()) return {};
  config.disk_bytes = TRY(vmm::parse_size(options.disk_size).with("--disk-size"));
  if (config.disk_bytes >= base) return {};
  return Error(ErrorCode::kInvalid, "--disk-size " + options.disk_size + " is smaller than the " +
                                        vmm::format_size(base) + " of " + options.source + ": choose a larger one");
}

Result<> choose_ports(const RunOptions& options, vmm::VmConfig& config) {
  for (const std::string& text : options.forwards) {
    config.forwards.push_back(TRY(vmm::parse_forward(text).with("--forward")));
  }
  TRY(vmm::check(config));
  for (const vmm::PortForward& forward : config.forwards) {
    const Result<> free = os::check_port_free(forward.host_port, forward.address);
    if (!free) return Error(free.error().code(), free.error().message() + ": choose another for --forward");
  }
  if (config.ssh_port() == 0) {
    config.forwards.push_back({.host_port = TRY(os::find_free_port()), .guest_port = kSshPort});
    config.ssh_port_chosen = true;
  }
  return {};
}

struct Key {
  std::string public_line;
  std::string identity_file;  // empty when only the public half is known
};

// FILE may be either half of a pair.
Result<Key> choose_key(image::Library& library, const std::string& file) {
  const std::string suffix = ".pub";
  std::string private_half = file;
  if (file.empty()) {
    private_half = TRY(library.own_key()).string();
  } else if (file.ends_with(suffix)) {
    private_half = file.substr(0, file.size() - suffix.size());
  }
  std::string public_half = private_half + suffix;
  if (!fs::exists(public_half)) public_half = file;
  const Result<std::string> text = os::read_file(public_half);
  if (!text) {
    return Error(text.error().code(), "--ssh-key: " + text.error().message() +
                                          ": make a key with `ssh-keygen -t ed25519`, or leave --ssh-key out");
  }
  Key key;
  key.public_line = TRY(image::parse_public_key(*text).with("--ssh-key " + public_half));
  if (fs::exists(private_half)) key.identity_file = fs::absolute(private_half).lexically_normal().string();
  return key;
}

// The path of SeaBIOS as Debian packages it, or the one that was given.
Result<std::string> choose_firmware(const std::string& firmware) {
  if (firmware != "bios") return readable_file(firmware, "--firmware");
  constexpr const char* kSeaBios = "/usr/share/seabios/bios-256k.bin";
  if (fs::exists(kSeaBios)) return std::string(kSeaBios);
  return Error(ErrorCode::kNotFound, "--firmware bios needs SeaBIOS: install the package seabios");
}

// Where translated code is kept; empty: nowhere.
std::string choose_translation_file(const image::Library& library, const RunOptions& options,
                                    const vmm::VmConfig& config) {
  if (options.translation_cache_file == "off") return {};
  if (!options.translation_cache_file.empty())
    return fs::absolute(options.translation_cache_file).lexically_normal().string();
  if (!config.image.empty()) return library.translations_of(config.image, config.cpu_model).string();
  return (library.vms() / config.name / vmm::VmDirectory::kTranslations).string();
}

Result<vmm::VmConfig> plan(image::Library& library, const RunOptions& options) {
  vmm::VmConfig config;
  TRY(choose_source(library, options, config));
  if (!options.user.empty()) config.login_user = options.user;
  config.name = options.name;
  if (config.name.empty()) config.name = unused_name(library, config.image.empty() ? "vm" : config.image);
  TRY(image::check_name(config.name).with("--name"));
  if (fs::exists(library.vms() / config.name)) {
    return Error(ErrorCode::kExists, "there is a VM '" + config.name + "' already: `pileus vm start " + config.name +
                                         "` runs it, `pileus vm rm " + config.name + "` removes it");
  }
  config.cpu_count = options.cpus;
  config.memory_bytes = TRY(vmm::parse_size(options.memory).with("--memory"));
  config.translation_cache_bytes = TRY(vmm::parse_size(options.translation_cache).with("--translation-cache"));
  config.engine = TRY(vmm::parse_engine(options.engine).with("--engine"));
  config.cpu_model = options.cpu_model;
  config.translation_cache_file = choose_translation_file(library, options, config);
  config.paravirt = options.paravirt == "on";
  config.direct = options.direct == "on";
  if (!options.kernel.empty()) config.kernel = TRY(readable_file(options.kernel, "--kernel"));
  if (!options.initrd.empty()) config.initrd = TRY(readable_file(options.initrd, "--initrd"));
  for (const std::string& module : options.modules) {
    const std::size_t end = std::min(module.find(' '), module.size());
    config.modules.push_back(TRY(readable_file(module.substr(0, end), "--module")) + module.substr(end));
  }
  config.legacy_devices = options.legacy_devices || !options.firmware.empty();
  if (!options.firmware.empty()) config.firmware = TRY(choose_firmware(options.firmware));
  if (!options.cdrom.empty()) config.cdrom = TRY(readable_file(options.cdrom, "--cdrom"));
  else if (!config.firmware.empty() && vmm::needs_cd_drive(config.base_disk)) config.cdrom = config.base_disk;
  config.disk_bus = TRY(vmm::parse_disk_bus(options.disk_bus));
  config.exit_port = options.exit_port;
  config.append = options.append;
  config.restrict_network = options.restrict_network;
  config.system.uuid = new_uuid();
  TRY(vmm::check(config));
  TRY(vmm::check_host(config));
  TRY(choose_disk_size(options, config));
  TRY(choose_ports(options, config));
  return config;
}

}  // namespace

Result<VmEntry> make_vm(image::Library& library, const RunOptions& options) {
  vmm::VmConfig config = TRY(plan(library, options));
  const Key key = TRY(choose_key(library, options.ssh_key));
  config.identity_file = key.identity_file;
  image::SeedContent seed;
  seed.instance_id = new_instance_id();
  seed.host_name = config.name;
  seed.ssh_keys = {key.public_line};
  if (!options.user_data.empty()) {
    seed.user_data = TRY(os::read_file(options.user_data, kMaxUserData).with("--user-data"));
  }

  Result<vmm::VmDirectory> made = host::create_vm(library.vms(), config.name, config, seed);
  if (!made && made.error().code() == ErrorCode::kExists) {
    return Error(ErrorCode::kExists, made.error().message() + ": choose another --name");
  }
  if (!made) return std::move(made).error();
  return VmEntry{std::move(made).value(), std::move(config)};
}

Result<> renew_ports(VmEntry& vm) {
  if (!vm.config.switch_port.empty()) return {};  // they are the switch's, which has them
  for (vmm::PortForward& forward : vm.config.forwards) {
    const Result<> free = os::check_port_free(forward.host_port, forward.address);
    if (free) continue;
    if (!vm.config.ssh_port_chosen || forward.guest_port != kSshPort) {
      return Error(free.error().code(),
                   free.error().message() + ": end what uses it, or make the VM with another port");
    }
    forward.host_port = TRY(os::find_free_port());
    TRY(vm.directory.save_config(vm.config));
  }
  return {};
}

}  // namespace pileus::cli
