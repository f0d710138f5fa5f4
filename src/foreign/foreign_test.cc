// Disks of foreign formats: good ones come through unchanged, and the files of strangers that want more than that are refused.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>

#include "foreign/converter.h"
#include "foreign/report.h"
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
  // `words` after "qemu-img".
  void qemu(std::vector<std::string> words) {
    words.insert(words.begin(), "qemu-img");
    const auto done = os::run_program(words);
    ASSERT_TRUE(done.ok() && done->status.success()) << words[1] << ": " << (done ? done->text : "");
  }

  Result<> import(const std::string& name, std::optional<Format> format, const Progress& progress) {
    const DiskFile found = TRY(recognize_file(path(name), format));
    return convert_to_raw(path(name), found.format, path(name + ".raw"), progress);
  }
  Result<> import(const std::string& name, std::optional<Format> format = {}) {
    return import(name, format, [](double) { return true; });
  }
  // Imported it is the disk; what lies behind its end (formats round up) is zeroes.
  void expect_disk(const std::string& name, Format format) {
    EXPECT_EQ(recognize_file(path(name), {}).value().format, format) << name;
    const Result<> done = import(name);
    ASSERT_TRUE(done.ok()) << name << ": " << done.error().message();
    const std::string wanted = bytes("disk");
    std::string got = bytes(name + ".raw");
    ASSERT_GE(got.size(), wanted.size()) << name;
    EXPECT_EQ(got.find_first_not_of('\0', wanted.size()), std::string::npos) << name;
    got.resize(wanted.size());
    EXPECT_TRUE(got == wanted) << name << " differs";
  }
  void expect_refused(const std::string& name, const std::string& why, std::optional<Format> format = {}) {
    const Result<> done = import(name, format);
    ASSERT_FALSE(done.ok()) << name;
    EXPECT_NE(done.error().message().find(why), std::string::npos) << name << ": " << done.error().message();
    EXPECT_FALSE(std::filesystem::exists(path(name + ".raw"))) << name;
  }
  // A VMDK that is one sparse file by its magic, and by its description, which lies within, an extent of another one.
  static std::string vmdk_naming(const std::string& file) {
    std::string text(4 * 512, '\0');
    text.replace(0, 5, std::string("KDMV\1", 5));
    text[28] = 1;  // the description's place and size, in sectors
    text[36] = 1;
    const std::string description =
        "# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\n"
        "createType=\"monolithicFlat\"\nRW 1 FLAT \"" +
        file + "\" 0\n";
    return text.replace(512, description.size(), description);
  }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "foreign_").value();
};

TEST_F(ForeignTest, WhatGoesOutComesInAgain) {
  for (const auto& [format, name] : {std::pair(Format::kVmdk, "out.vmdk"), std::pair(Format::kVhd, "out.vhd")}) {
    ASSERT_TRUE(convert_from_raw(path("disk"), format, path(name), [](double) { return true; }).ok());
    expect_disk(name, format);
    EXPECT_EQ(bytes(std::string(name) + ".raw").size(), kDisk) << name;
  }
  EXPECT_NE(bytes("out.vmdk").find("streamOptimized"), std::string::npos);
}

TEST_F(ForeignTest, HolesStayHoles) {
  qemu({"convert", "-f", "raw", "-O", "qcow2", path("disk").string(), path("disk.qcow2").string()});
  ASSERT_TRUE(import("disk.qcow2").ok());
  const auto allocated = os::run_program({"stat", "-c", "%b", path("disk.qcow2.raw").string()});
  EXPECT_LT(std::stoul(allocated->text) * 512, 2 * kMiB);
}

TEST_F(ForeignTest, EveryKindOfAFormatIsTaken) {
  struct Case {
    std::string name;
    Format format;
    std::vector<std::string> options;
  };
  const Case cases[] = {
      {"plain.qcow2", Format::kQcow2, {"-O", "qcow2"}},
      {"zstd.qcow2", Format::kQcow2, {"-c", "-O", "qcow2", "-o", "compression_type=zstd"}},
      {"small.qcow2", Format::kQcow2, {"-c", "-O", "qcow2", "-o", "cluster_size=512"}},
      {"large.qcow2", Format::kQcow2, {"-O", "qcow2", "-o", "cluster_size=2M"}},
      {"old.qcow2", Format::kQcow2, {"-O", "qcow2", "-o", "compat=0.10"}},
      {"extended.qcow2", Format::kQcow2, {"-O", "qcow2", "-o", "extended_l2=on"}},
      {"sparse.vmdk", Format::kVmdk, {"-O", "vmdk"}},
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

// Else who imports a disk would get the bytes of any file that the host can read. The sandbox alone would keep them from it.
TEST_F(ForeignTest, FilesThatNameOtherFilesAreRefused) {
  qemu({"create", "-u", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", path("over.qcow2").string(), "1M"});
  expect_refused("over.qcow2", "lies on a backing file");
  qemu({"create", "-f", "qcow2", "-o", "data_file=" + path("data").string(), path("split.qcow2").string(), "1M"});
  expect_refused("split.qcow2", "keeps its data in another file");
  qemu({"create", "-f", "vmdk", path("base.vmdk").string(), "1M"});
  qemu({"create", "-f", "vmdk", "-b", path("base.vmdk").string(), "-F", "vmdk", path("over.vmdk").string()});
  expect_refused("over.vmdk", "lies on a backing file");
  write("text.vmdk", "# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\nRW 1 FLAT \"/etc/shadow\" 0\n");
  expect_refused("text.vmdk", "a description of other files");
  write("secret.vmdk", vmdk_naming("/etc/shadow"));
  expect_refused("secret.vmdk", "No such file");
  write("library.vmdk", vmdk_naming("/usr/lib/os-release"));  // which the sandbox has
  expect_refused("library.vmdk", "a description of other files");
  std::string vhd(2048, '\0');
  vhd.replace(0, 8, "conectix");
  vhd[63] = 4;
  write("over.vhd", vhd);
  expect_refused("over.vhd", "lies on a parent");
}

TEST_F(ForeignTest, WhatIsNoDiskIsRefused) {
  write("page", "<html><body>404 not found</body></html>");
  expect_refused("page", "this is no disk");
  expect_refused("disk", "no qcow2", Format::kQcow2);
  expect_refused("disk", "no VMDK", Format::kVmdk);
  expect_refused("disk", "no VHD", Format::kVhd);
  write("empty", "");
  expect_refused("empty", "empty");
  EXPECT_FALSE(recognize_file(folder_.path(), {}).ok()) << "a folder";
  EXPECT_FALSE(recognize_file(path("none"), {}).ok());
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(recognize_file(path("pipe"), {}).ok());
}

TEST_F(ForeignTest, GarbageBehindAGoodBeginningIsRefused) {
  std::string garbage = bytes("disk").substr(3 * kMiB, 64 * kKiB);
  for (const std::string& magic :
       {std::string("QFI\xfb\0\0\0\3", 8), std::string("KDMV\1\0\0\0", 8), std::string("conectix")}) {
    write("garbage", garbage.replace(0, magic.size(), magic));
    expect_refused("garbage", " disk cannot be read: ");
  }
}

TEST_F(ForeignTest, LockedAndGiantDisksAreRefused) {
  // Not LUKS: to make that, qemu-img measures the processor, and fails where other work disturbs it.
  qemu({"create", "-f", "qcow2", "--object", "secret,id=key,data=x", "-o", "encrypt.format=aes,encrypt.key-secret=key",
        path("locked.qcow2").string(), "1M"});
  expect_refused("locked.qcow2", "is encrypted");
  qemu({"create", "-f", "qcow2", path("giant.qcow2").string(), "64T"});
  expect_refused("giant.qcow2", "larger than 16 TiB");
}

// Cut at any place, a file is refused; it never reads as something else.
TEST_F(ForeignTest, CutFilesAreFound) {
  for (const std::string& options :
       std::vector<std::string>{"qcow2", "vmdk", "vmdk subformat=streamOptimized", "vpc", "vpc subformat=fixed"}) {
    const std::string format = options.substr(0, options.find(' '));
    std::vector<std::string> words = {
        "convert", "-f", "raw", "-O", format, path("disk").string(), path("whole").string()};
    if (format != options) words.insert(words.begin() + 5, {"-o", options.substr(format.size() + 1)});
    qemu(words);
    const std::string whole = bytes("whole");
    for (u64 length = 512; length < whole.size(); length += whole.size() / 5) {
      write("cut", whole.substr(0, length));
      EXPECT_FALSE(import("cut", parse_format(format)).ok()) << options << " of " << length;
      EXPECT_FALSE(std::filesystem::exists(path("cut.raw")));
    }
  }
}

TEST_F(ForeignTest, ConvertingCanBeGivenUp) {
  qemu({"convert", "-f", "raw", "-O", "qcow2", path("disk").string(), path("disk.qcow2").string()});
  for (int looks = 0; looks < 4; ++looks) {  // in each of its steps
    int left = looks;
    const Result<> done = import("disk.qcow2", {}, [&](double) { return left-- > 0; });
    EXPECT_FALSE(std::filesystem::exists(path("disk.qcow2.raw"))) << looks;
    EXPECT_EQ(done.error().code(), ErrorCode::kGone) << looks;
  }
}

TEST_F(ForeignTest, ProgressIsTold) {
  qemu({"convert", "-f", "raw", "-O", "qcow2", path("disk").string(), path("disk.qcow2").string()});
  double last = 0;
  ASSERT_TRUE(import("disk.qcow2", {}, [&](double part) { return (last = part) <= 1; }).ok());
  EXPECT_EQ(last, 1);
}

TEST(Report, WhatIsNoReportIsRefused) {
  for (const char* text : {"", "{", "[]", "7", "{}", R"({"virtual-size": -512})", R"({"virtual-size": "512"})"}) {
    EXPECT_FALSE(size_in_report(text, Format::kQcow2, "/input").ok()) << text;
  }
  EXPECT_EQ(size_in_report(R"({"virtual-size": 512})", Format::kQcow2, "/input").value(), 512U);
  for (const char* extents : {"7", "[7]", "[{}]", R"([{"filename": "/input"}, {"filename": "/other"}])"}) {
    const std::string text =
        R"({"virtual-size": 512, "format-specific": {"data": {"extents": )" + std::string(extents) + "}}}";
    EXPECT_FALSE(size_in_report(text, Format::kVmdk, "/input").ok()) << text;
  }
}

TEST(Format, HasNames) {
  EXPECT_EQ(parse_format("VMDK"), Format::kVmdk);
  EXPECT_EQ(parse_format("vpc"), Format::kVhd);
  EXPECT_EQ(parse_format("ova"), std::nullopt);
  EXPECT_EQ(format_name(Format::kQcow2), "qcow2");
}

}  // namespace
}  // namespace pileus::foreign
