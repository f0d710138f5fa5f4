#include "machine/diskboot/boot_entry.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "machine/diskboot/bls_entry.h"
#include "machine/diskboot/ext_filesystem.h"
#include "machine/diskboot/grub_config.h"
#include "machine/diskboot/partition_table.h"

namespace pileus::machine {

namespace {

constexpr u64 kMaxConfig = 4 * kMiB;
constexpr u64 kMaxKernel = 256 * kMiB;
constexpr u64 kMaxInitrd = kGiB;
constexpr u64 kMaxPartitions = 128;
constexpr u64 kMaxRecipes = 16;  // of one kind on one file system: a hostile disk may list thousands, all broken

using Filesystems = std::vector<ExtFilesystem>;

std::string text_of(const std::vector<u8>& bytes) { return {bytes.begin(), bytes.end()}; }

// Newest first, in the order in which people number kernels.
void sort_newest_first(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end(),
            [](const std::string& a, const std::string& b) { return ::strverscmp(a.c_str(), b.c_str()) > 0; });
}

// The directory of the boot files: in the root file system, or a file system of its own.
constexpr std::array<const char*, 2> kBootDirectories{"/boot", ""};

Variables read_environment(ExtFilesystem& filesystem, const std::string& grub_directory) {
  const auto text = filesystem.read_file(grub_directory + "/grubenv", kMaxConfig);
  return text ? parse_grub_environment(text_of(*text)) : Variables();
}

void add_grub_recipes(ExtFilesystem& filesystem, std::vector<BootRecipe>& out) {
  for (const std::string boot : kBootDirectories) {
    for (const std::string name : {"/grub", "/grub2"}) {
      const std::string folder = boot + name;
      const auto text = filesystem.read_file(folder + "/grub.cfg", kMaxConfig);
      if (!text) continue;
      auto recipe = parse_grub_config(text_of(*text), read_environment(filesystem, folder));
      if (recipe) out.push_back(std::move(*recipe));
    }
  }
}

void add_bls_recipes(ExtFilesystem& filesystem, std::vector<BootRecipe>& out) {
  for (const std::string boot : kBootDirectories) {
    const std::string folder = boot + "/loader/entries/";
    auto names = filesystem.list(folder);
    if (!names) continue;
    const Variables variables = read_environment(filesystem, boot + "/grub2");
    sort_newest_first(*names);
    for (const std::string& name : *names) {
      if (!name.ends_with(".conf") || out.size() >= kMaxRecipes) continue;
      const auto text = filesystem.read_file(folder + name, kMaxConfig);
      if (!text) continue;
      auto recipe = parse_bls_entry(text_of(*text), variables);
      if (recipe) out.push_back(std::move(*recipe));
    }
  }
}

// What distributions call the initramfs of kernel `version`.
std::vector<std::string> initrd_of(ExtFilesystem& filesystem, const std::string& boot, const std::string& version) {
  for (const std::string& name : {"/initrd.img-" + version, "/initramfs-" + version + ".img", "/initrd-" + version}) {
    if (filesystem.exists(boot + name)) return {boot + name};
  }
  return {};
}

void add_newest_kernel(ExtFilesystem& filesystem, std::vector<BootRecipe>& out) {
  constexpr std::string_view kPrefix = "vmlinuz-";
  for (const std::string boot : kBootDirectories) {
    const std::string folder = boot + "/";
    auto names = filesystem.list(folder);
    if (!names) continue;
    std::erase_if(*names, [&](const std::string& name) { return !name.starts_with(kPrefix); });
    sort_newest_first(*names);
    for (const std::string& name : *names) {
      if (out.size() >= kMaxRecipes) break;
      BootRecipe recipe;
      recipe.title = name;
      recipe.kernel_path = folder + name;
      recipe.initrd_paths = initrd_of(filesystem, boot, name.substr(kPrefix.size()));
      // On a boot partition this is not the root file system's; then the image's own configuration
      // is needed.
      recipe.command_line = "root=UUID=" + filesystem.uuid() + " ro";
      out.push_back(std::move(recipe));
    }
  }
}

Result<BootEntry> load_from(ExtFilesystem& filesystem, const BootRecipe& recipe) {
  BootEntry entry;
  entry.title = recipe.title;
  entry.command_line = recipe.command_line;
  // Configurations on the root file system may leave out /boot when it was a partition once, and
  // the reverse.
  const std::string boot = !filesystem.exists(recipe.kernel_path) ? "/boot" : "";
  entry.kernel = TRY(filesystem.read_file(boot + recipe.kernel_path, kMaxKernel));
  for (const std::string& path : recipe.initrd_paths) {
    const std::vector<u8> part = TRY(filesystem.read_file(boot + path, kMaxInitrd - entry.initrd.size()));
    entry.initrd.insert(entry.initrd.end(), part.begin(), part.end());
  }
  return entry;
}

// Looks on the file system that the recipe names, then on the one it was found on, then on the
// others.
Result<BootEntry> load(Filesystems& filesystems, u64 home, const BootRecipe& recipe) {
  std::vector<u64> order;
  for (u64 i = 0; i < filesystems.size(); ++i) {
    if (!recipe.filesystem_uuid.empty() && filesystems[i].uuid() == recipe.filesystem_uuid) order.push_back(i);
  }
  order.push_back(home);
  for (u64 i = 0; i < filesystems.size(); ++i) order.push_back(i);
  Result<BootEntry> entry = Error(ErrorCode::kNotFound, "no file system");
  for (const u64 index : order) {
    entry = load_from(filesystems[index], recipe);
    if (entry) break;
  }
  return entry;
}

Result<Filesystems> open_filesystems(DiskReader& disk) {
  std::vector<Partition> partitions = TRY(read_partitions(disk));
  if (partitions.size() > kMaxPartitions) partitions.resize(kMaxPartitions);
  Filesystems filesystems;
  for (const Partition& partition : partitions) {
    auto filesystem = ExtFilesystem::open(disk, partition);
    if (filesystem) filesystems.push_back(std::move(*filesystem));
  }
  if (filesystems.empty()) {
    const bool bare = partitions.size() == 1 && partitions[0].offset == 0;
    const std::string where = bare ? "it" : "its " + std::to_string(partitions.size()) + " partitions";
    return Error(ErrorCode::kNotFound,
                 "no ext2, ext3 or ext4 file system on " + where + ": name what to boot with --kernel");
  }
  return filesystems;
}

}  // namespace

Result<BootEntry> find_boot_entry(DiskReader& disk) {
  Filesystems filesystems = TRY(open_filesystems(disk));
  Error last(ErrorCode::kNotFound,
             "no grub.cfg, boot loader entries or /boot/vmlinuz-*: name what to boot with --kernel");
  // The best kind of configuration on any file system before the next kind.
  for (const auto add_recipes : {add_grub_recipes, add_bls_recipes, add_newest_kernel}) {
    for (u64 home = 0; home < filesystems.size(); ++home) {
      std::vector<BootRecipe> recipes;
      add_recipes(filesystems[home], recipes);
      for (const BootRecipe& recipe : recipes) {
        auto entry = load(filesystems, home, recipe);
        if (entry) return entry;
        last = std::move(entry).error().with(recipe.title);
      }
    }
  }
  return last;
}

}  // namespace pileus::machine
