// Disks of foreign formats: our writers read by our readers, and both against qemu-img where there is one.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "foreign/disk_writer.h"
#include "os/child_process.h"
#include "os/file.h"

namespace pileus::foreign {
namespace {

constexpr u64 kDisk = 9 * kMiB + 512 * 7;  // no multiple of anybody's cluster

class ForeignTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<char> bytes(kDisk);
    std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same each time
    const auto fill = [&](u64 from, u64 length) {
      for (u64 i = from; i < from + length; ++i) bytes[i] = static_cast<char>(random());
    };
    fill(0, 1000);
    fill(3 * kMiB + 5, 200 * kKiB);
    fill(kDisk - 600, 600);
    std::fill_n(bytes.begin() + 5 * kMiB, 300 * kKiB, 'x');
    write("disk", {bytes.begin(), bytes.end()});
  }

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, const std::string& bytes) {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
  std::string bytes(const std::string& name) { return os::read_file(path(name), 64 * kMiB).value(); }

  Result<std::unique_ptr<DiskReader>> open(const std::string& name, std::optional<Format> format = {}) {
    return open_disk(TRY(open_input(path(name))), format);
  }
  Result<> convert(const std::string& from, Format format, const std::string& to) {
    const std::unique_ptr<DiskReader> disk = TRY(open(from));
    return write_disk(*disk, format, path(to), {});
  }
  // Read by us it is the disk; what lies behind its end (formats round up) is zeroes.
  void expect_disk(const std::string& name, Format format) {
    const auto disk = open(name);
    ASSERT_TRUE(disk.ok()) << name << ": " << disk.error().message();
    EXPECT_EQ((*disk)->format(), format) << name;
    ASSERT_TRUE(convert(name, Format::kRaw, name + ".raw").ok());
    expect_same(bytes(name + ".raw"), name);
  }
  void expect_same(std::string got, const std::string& name) {
    const std::string wanted = bytes("disk");
    ASSERT_GE(got.size(), wanted.size()) << name;
    EXPECT_EQ(got.find_first_not_of('\0', wanted.size()), std::string::npos) << name;
    got.resize(wanted.size());
    EXPECT_TRUE(got == wanted) << name << " differs";
  }
  std::string refusal(const std::string& name, std::optional<Format> format = {}) {
    const auto disk = open(name, format);
    return disk ? "" : disk.error().message();
  }

  static bool has_qemu() { return os::find_program("qemu-img").has_value(); }
  // `words` after "qemu-img".
  void qemu(std::vector<std::string> words) {
    words.insert(words.begin(), "qemu-img");
    const auto done = os::run_program(words);
    ASSERT_TRUE(done.ok() && done->status.success()) << words[1] << ": " << (done ? done->text : "");
  }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "foreign_").value();
};

TEST_F(ForeignTest, WhatWeWriteWeRead) {
  for (const Format format : {Format::kRaw, Format::kVmdk, Format::kVhd}) {
    const std::string name(format_name(format));
    ASSERT_TRUE(convert("disk", format, "our." + name).ok());
    expect_disk("our." + name, format);
  }
}

TEST_F(ForeignTest, RawKeepsItsHoles) {
  ASSERT_TRUE(convert("disk", Format::kRaw, "copy").ok());
  const auto allocated = os::run_program({"stat", "-c", "%b", path("copy").string()});
  EXPECT_LT(std::stoul(allocated->text) * 512, 2 * kMiB);
}

TEST_F(ForeignTest, WhatQemuWritesWeRead) {
  if (!has_qemu()) GTEST_SKIP() << "there is no qemu-img";
  struct Case {
    std::string name;
    Format format;
    std::vector<std::string> options;
  };
  const Case cases[] = {
      {"plain.qcow2", Format::kQcow2, {"-O", "qcow2"}},
      {"packed.qcow2", Format::kQcow2, {"-c", "-O", "qcow2"}},
      {"zstd.qcow2", Format::kQcow2, {"-c", "-O", "qcow2", "-o", "compression_type=zstd"}},
      {"small.qcow2", Format::kQcow2, {"-c", "-O", "qcow2", "-o", "cluster_size=512"}},
      {"large.qcow2", Format::kQcow2, {"-O", "qcow2", "-o", "cluster_size=2M"}},
      {"old.qcow2", Format::kQcow2, {"-O", "qcow2", "-o", "compat=0.10"}},
      {"sparse.vmdk", Format::kVmdk, {"-O", "vmdk"}},
      {"stream.vmdk", Format::kVmdk, {"-O", "vmdk", "-o", "subformat=streamOptimized"}},
      {"dynamic.vhd", Format::kVhd, {"-O", "vpc"}},
      {"fixed.vhd", Format::kVhd, {"-O", "vpc", "-o", "subformat=fixed"}},
  };
  for (const Case& each : cases) {
    std::vector<std::string> words = {"convert", "-f", "raw"};
    words.insert(words.end(), each.options.begin(), each.options.end());
    words.insert(words.end(), {path("disk").string(), path(each.name).string()});
    qemu(words);
    expect_disk(each.name, each.format);
  }
}

TEST_F(ForeignTest, WhatWeWriteQemuReads) {
  if (!has_qemu()) GTEST_SKIP() << "there is no qemu-img";
  for (const auto& [format, name] : {std::pair(Format::kVmdk, "vmdk"), std::pair(Format::kVhd, "vpc")}) {
    ASSERT_TRUE(convert("disk", format, name).ok());
    qemu({"convert", "-f", name, "-O", "raw", path(name).string(), path("back").string()});
    expect_same(bytes("back"), name);
  }
}

// Else who imports a disk would get the bytes of any file that the host can read.
TEST_F(ForeignTest, FilesThatNameOtherFilesAreRefused) {
  if (!has_qemu()) GTEST_SKIP() << "there is no qemu-img";
  qemu({"create", "-f", "qcow2", "-b", path("disk").string(), "-F", "raw", path("over.qcow2").string()});
  EXPECT_NE(refusal("over.qcow2").find("backing file"), std::string::npos);
  qemu({"create", "-f", "qcow2", "-o", "data_file=" + path("data").string(), path("split.qcow2").string(), "1M"});
  EXPECT_NE(refusal("split.qcow2").find("another file"), std::string::npos);
  qemu({"create", "-f", "vmdk", "-o", "subformat=monolithicFlat", path("flat.vmdk").string(), "1M"});
  EXPECT_NE(refusal("flat.vmdk").find("other files"), std::string::npos);
  qemu({"create", "-f", "vmdk", path("base.vmdk").string(), "1M"});
  qemu({"create", "-f", "vmdk", "-b", path("base.vmdk").string(), "-F", "vmdk", path("over.vmdk").string()});
  EXPECT_NE(refusal("over.vmdk").find("parent"), std::string::npos);
}

// As above, of bytes of our own: it does not need qemu-img.
TEST_F(ForeignTest, AQcow2WithABackingFileIsRefused) {
  std::string header(512, '\0');
  header.replace(0, 8, std::string("QFI\xfb\0\0\0\2", 8));
  header[15] = 104;  // where the backing file's name is
  EXPECT_NE((write("over", header), refusal("over")).find("backing file"), std::string::npos);
  header.replace(0, 8, std::string("QFI\xfb\0\0\0\3", 8));
  header[15] = 0;
  header[22] = 0, header[23] = 16;  // cluster_bits
  header[29] = 16;                  // size: 1 MiB
  header[79] = 4;                   // incompatible: its data is in another file
  EXPECT_NE((write("split", header), refusal("split")).find("another file"), std::string::npos);
}

TEST_F(ForeignTest, WhatIsNoDiskIsRefused) {
  write("page", "<html><body>404 not found</body></html>");
  EXPECT_NE(refusal("page").find("this is no disk"), std::string::npos);
  EXPECT_NE(refusal("disk", Format::kQcow2).find("no qcow2"), std::string::npos);
  EXPECT_NE(refusal("disk", Format::kVmdk).find("no VMDK"), std::string::npos);
  EXPECT_NE(refusal("disk", Format::kVhd).find("no VHD"), std::string::npos);
  write("empty", "");
  EXPECT_NE(refusal("empty").find("empty"), std::string::npos);
  EXPECT_FALSE(open_input(folder_.path()).ok()) << "a folder";
  EXPECT_FALSE(open_input(path("none")).ok());
}

// Cut at any place, a file is refused or what is read of it fails; it never reads as something else.
TEST_F(ForeignTest, CutFilesAreFound) {
  for (const Format format : {Format::kVmdk, Format::kVhd}) {
    const std::string name(format_name(format));
    ASSERT_TRUE(convert("disk", format, name).ok());
    const std::string whole = bytes(name);
    for (u64 length = 512; length < whole.size(); length += whole.size() / 20) {
      write("cut", whole.substr(0, length));
      const auto disk = open("cut", format);
      if (!disk) continue;
      EXPECT_FALSE(write_disk(**disk, Format::kRaw, path("cut.raw"), {}).ok()) << name << " of " << length;
      EXPECT_FALSE(std::filesystem::exists(path("cut.raw")));
    }
  }
}

TEST_F(ForeignTest, WritingCanBeGivenUp) {
  const auto disk = open("disk");
  const Result<> written = write_disk(**disk, Format::kVhd, path("out"), [](double) { return false; });
  EXPECT_EQ(written.error().code(), ErrorCode::kGone);
  EXPECT_FALSE(std::filesystem::exists(path("out")));
}

// Wherever the data lies: whoever writes a disk looks at its room between.
TEST_F(ForeignTest, ProgressIsToldOfScatteredData) {
  constexpr u64 kBlocks = 600;
  constexpr u64 kStride = 16 * kMiB;
  constexpr u64 kFirst = 64 * kKiB;  // no block at a round place has data
  {
    const os::Fd fd = os::open_file(path("sparse"), O_WRONLY | O_CREAT, 0600).value();
    ASSERT_EQ(::ftruncate(fd.get(), static_cast<off_t>(kBlocks * kStride)), 0);
    for (u64 i = 0; i < kBlocks; ++i)
      ASSERT_EQ(::pwrite(fd.get(), "x", 1, static_cast<off_t>(kFirst + i * kStride)), 1);
  }
  const auto disk = open("sparse");
  int told = 0;
  ASSERT_TRUE(write_disk(**disk, Format::kRaw, path("out"), [&](double) { return ++told > 0; }).ok());
  EXPECT_GE(told, 3);
}

TEST(Format, HasNames) {
  EXPECT_EQ(parse_format("VMDK"), Format::kVmdk);
  EXPECT_EQ(parse_format("vpc"), Format::kVhd);
  EXPECT_EQ(parse_format("ova"), std::nullopt);
  EXPECT_EQ(format_name(Format::kQcow2), "qcow2");
}

}  // namespace
}  // namespace pileus::foreign
