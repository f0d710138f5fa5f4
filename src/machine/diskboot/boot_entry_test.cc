#include "machine/diskboot/boot_entry.h"

#include <gtest/gtest.h>

#include "machine/diskboot/memory_disk.h"
#include "machine/testing/ext_image.h"
#include "machine/testing/kernels.h"

namespace pileus::machine {
namespace {

using testing::ExtImage;
using testing::put;

std::string text_of(const std::vector<u8>& bytes) { return {bytes.begin(), bytes.end()}; }

// An MBR disk with `filesystem` on its first partition, at 1 MiB.
std::vector<u8> partitioned(const std::vector<u8>& filesystem) {
  std::vector<u8> disk(kMiB + filesystem.size());
  put(disk, 446 + 4, u8{0x83});
  put(disk, 446 + 8, u32{kMiB / 512});
  put(disk, 446 + 12, static_cast<u32>(filesystem.size() / 512));
  put(disk, 510, u16{0xAA55});
  std::copy(filesystem.begin(), filesystem.end(), disk.begin() + kMiB);
  return disk;
}

Result<BootEntry> find(const std::vector<u8>& bytes) {
  MemoryDisk disk(bytes);
  return find_boot_entry(disk);
}

TEST(BootEntry, FollowsGrubOnAPartition) {
  ExtImage image;
  const std::string kernel(3 * kMiB, 'k');
  image.add("boot/vmlinuz-1", kernel);
  image.add("boot/vmlinuz-2", "wrong");
  image.add("boot/initrd.img-1", "initrd");
  image.add("boot/grub/grub.cfg",
            "menuentry 'one' {\n linux /boot/vmlinuz-1 root=/dev/vda1 ro\n initrd "
            "/boot/initrd.img-1\n}\n");
  const auto entry = find(partitioned(image.make()));
  ASSERT_TRUE(entry.ok()) << entry.error().message();
  EXPECT_EQ(entry->title, "one");
  EXPECT_TRUE(text_of(entry->kernel) == kernel);
  EXPECT_EQ(text_of(entry->initrd), "initrd");
  EXPECT_EQ(entry->command_line, "root=/dev/vda1 ro");
}

TEST(BootEntry, FollowsLoaderEntriesOnABootPartition) {
  ExtImage image;
  image.add("vmlinuz-5.14.0-9", "old");
  image.add("vmlinuz-5.14.0-70", "new");
  image.add("loader/entries/id-5.14.0-9.conf", "title old\nlinux /vmlinuz-5.14.0-9\n");
  image.add("loader/entries/id-5.14.0-70.conf",
            "title new\nlinux /vmlinuz-5.14.0-70\noptions root=UUID=7 $kernelopts\n");
  image.add("grub2/grubenv", "kernelopts=quiet\n");
  image.add("grub2/grub.cfg", "blscfg\n");
  const auto entry = find(image.make());
  ASSERT_TRUE(entry.ok()) << entry.error().message();
  EXPECT_EQ(text_of(entry->kernel), "new");
  EXPECT_EQ(entry->command_line, "root=UUID=7 quiet");
}

TEST(BootEntry, FallsBackToTheNewestKernel) {
  ExtImage image;
  image.add("boot/vmlinuz-6.1.0-9-amd64", "old");
  image.add("boot/vmlinuz-6.1.0-10-amd64", "new");
  image.add("boot/initrd.img-6.1.0-10-amd64", "initrd");
  const auto entry = find(image.make());
  ASSERT_TRUE(entry.ok()) << entry.error().message();
  EXPECT_EQ(text_of(entry->kernel), "new");
  EXPECT_EQ(text_of(entry->initrd), "initrd");
  EXPECT_EQ(entry->command_line, std::string("root=UUID=") + testing::kTestUuid + " ro");
}

TEST(BootEntry, FollowsLinksButNotOutOfTheDisk) {
  ExtImage image;
  image.add("boot/real", "kernel");
  image.link("boot/vmlinuz-1", "../boot/real");
  image.link("boot/vmlinuz-2", "../../../../../../etc/hostname");
  image.link("boot/vmlinuz-3", "vmlinuz-3");  // a loop
  const auto entry = find(image.make());
  ASSERT_TRUE(entry.ok()) << entry.error().message();
  EXPECT_EQ(text_of(entry->kernel), "kernel");
}

TEST(BootEntry, SaysWhatIsMissing) {
  EXPECT_EQ(find(std::vector<u8>(kMiB)).error().code(), ErrorCode::kNotFound);
  ExtImage image;
  image.add("etc/hostname", "x");
  EXPECT_NE(find(image.make()).error().message().find("no grub.cfg"), std::string::npos);
}

// Damage in the metadata must give an error or another entry, never a crash.
TEST(BootEntry, SurvivesDamagedFilesystems) {
  ExtImage image;
  image.add("boot/vmlinuz-1", "kernel");
  std::vector<u8> bytes = image.make();
  for (u64 offset = 1024; offset < 64 * kKiB; offset += 97) {
    const u8 saved = bytes[offset];
    bytes[offset] ^= 0xFF;
    static_cast<void>(find(bytes).ok());
    bytes[offset] = saved;
  }
  for (const u64 size : {u64{2048}, 5 * kKiB, 100 * kKiB, kMiB}) {
    static_cast<void>(find({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)}).ok());
  }
}

}  // namespace
}  // namespace pileus::machine
