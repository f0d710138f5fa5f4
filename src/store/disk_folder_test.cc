#include "store/disk_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>
#include <thread>

#include "os/file.h"
#include "store/flatten.h"

namespace pileus::store {
namespace {

constexpr u64 kCluster = virtio::Overlay::kClusterSize;
constexpr u64 kSize = 8 * kCluster;

class DiskFolderTest : public ::testing::Test {
 protected:
  DiskFolderTest() { std::filesystem::create_directories(path_); }

  std::unique_ptr<Disk> make(std::vector<Layer> layers = {}, u64 bytes = kSize) {
    EXPECT_TRUE(DiskFolder::fill(path_, std::move(layers), bytes).ok());
    return DiskFolder(path_).open().value();
  }
  static void write(Disk& disk, u64 offset, u8 value, u64 length = 512) {
    EXPECT_TRUE(disk.write(offset, std::vector<u8>(length, value)).ok());
  }
  static u8 read(virtio::BlockBackend& disk, u64 offset) {
    u8 value = 0;
    EXPECT_TRUE(disk.read(offset, std::span<u8>(&value, 1)).ok());
    return value;
  }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "disk_").value();
  std::filesystem::path path_ = folder_.path() / "disk";
};

TEST_F(DiskFolderTest, AnEmptyDiskReadsZeroAndKeepsWhatIsWritten) {
  {
    auto disk = make();
    EXPECT_EQ(disk->size(), kSize);
    EXPECT_EQ(read(*disk, kSize - 1), 0);
    write(*disk, kCluster, 7);
    EXPECT_EQ(DiskFolder(path_).open().error().code(), ErrorCode::kBusy);
  }
  EXPECT_EQ(read(*DiskFolder(path_).open().value(), kCluster), 7);
  EXPECT_EQ(DiskFolder(path_).size().value(), kSize);
}

TEST_F(DiskFolderTest, ASnapshotStaysAsTheDiskWas) {
  auto disk = make();
  write(*disk, 0, 1);
  const Mark first = disk->snapshot("first").value();
  EXPECT_EQ(first.layers, 1U);
  write(*disk, 0, 2);
  write(*disk, 3 * kCluster, 2);
  EXPECT_EQ(disk->snapshot("second").value().layers, 2U);
  EXPECT_EQ(disk->snapshot("first").value(), first);  // as often as one likes
  write(*disk, 0, 3);

  const DiskFolder folder(path_);
  const Chain chain = folder.chain().value();
  const auto as_first = folder.open_layers(std::span(chain.layers).first(1)).value();
  const auto as_second = folder.open_layers(std::span(chain.layers).first(2)).value();
  EXPECT_EQ(read(*as_first, 0), 1);
  EXPECT_EQ(read(*as_first, 3 * kCluster), 0);
  EXPECT_EQ(read(*as_second, 0), 2);
  EXPECT_EQ(read(*as_second, 3 * kCluster), 2);
  EXPECT_FALSE(as_second->write(0, std::vector<u8>(512)).ok());
  disk.reset();
  disk = folder.open().value();
  EXPECT_EQ(read(*disk, 0), 3);
  EXPECT_EQ(read(*disk, 3 * kCluster), 2);
}

TEST_F(DiskFolderTest, AFolderWithoutARecordIsWhatIsImplied) {
  const std::string base = (folder_.path() / "base.raw").string();
  std::ofstream(base, std::ios::binary) << std::string(2 * kCluster, 'b');
  ASSERT_TRUE(virtio::Overlay::create((path_ / DiskFolder::kFirstTop).string(), 2 * kCluster, kSize).ok());
  const DiskFolder folder(path_, Chain{.layers = {{base, true}}, .top = DiskFolder::kFirstTop, .marks = {}});
  auto disk = folder.open().value();
  EXPECT_EQ(read(*disk, kCluster), 'b');
  write(*disk, kCluster, 1);
  ASSERT_TRUE(disk->snapshot("s").ok());
  write(*disk, kCluster, 2);
  disk.reset();
  disk = folder.open().value();
  EXPECT_EQ(read(*disk, kCluster), 2);
  EXPECT_EQ(disk->chain().layers.size(), 2U);
  EXPECT_EQ(DiskFolder::size_of_layers(folder, 1).value(), 2 * kCluster);
  EXPECT_EQ(DiskFolder::size_of_layers(folder, 2).value(), kSize);
}

TEST_F(DiskFolderTest, GrowingKeepsTheContent) {
  auto disk = make();
  write(*disk, kSize - 512, 9);
  EXPECT_EQ(disk->grow(kSize - 512).error().code(), ErrorCode::kInvalid);
  ASSERT_TRUE(disk->grow(2 * kSize).ok());
  EXPECT_EQ(disk->size(), 2 * kSize);
  EXPECT_EQ(read(*disk, kSize - 1), 9);
  EXPECT_EQ(read(*disk, 2 * kSize - 1), 0);
  write(*disk, 2 * kSize - 512, 5);
  disk.reset();
  EXPECT_EQ(read(*DiskFolder(path_).open().value(), 2 * kSize - 1), 5);
}

TEST_F(DiskFolderTest, ChainsAreBounded) {
  auto disk = make();
  for (std::size_t i = 0; i < kMaxLayers; ++i) ASSERT_TRUE(disk->snapshot("s" + std::to_string(i)).ok());
  EXPECT_EQ(disk->snapshot("one more").error().code(), ErrorCode::kExhausted);
  write(*disk, 0, 1);
  EXPECT_EQ(disk->chain().marks.size(), kMaxMarks);
}

TEST_F(DiskFolderTest, MergedLayersReadTheSame) {
  const std::string base = (folder_.path() / "base.raw").string();
  std::ofstream(base, std::ios::binary) << std::string(3 * kCluster + 512, 'b');
  auto disk = make({{base, true}}, kSize + 512);
  std::mt19937 random(3);
  for (int layer = 1; layer <= 12; ++layer) {
    for (int i = 0; i < 3; ++i) write(*disk, random() % (kSize / 512) * 512, static_cast<u8>(layer));
    EXPECT_TRUE(disk->write_zeroes(random() % 8 * kCluster, kCluster).ok());
    write(*disk, kSize, static_cast<u8>(layer));
    if (layer == 5) {
      ASSERT_TRUE(disk->grow(2 * kSize).ok());
    }
    if (layer < 11) {
      ASSERT_TRUE(disk->snapshot("s" + std::to_string(layer)).ok());
    }
  }
  const DiskFolder folder(path_);
  const auto content = [](virtio::BlockBackend& of) {
    std::vector<u8> bytes(of.size());
    EXPECT_TRUE(of.read(0, bytes).ok());
    return bytes;
  };
  const std::vector<u8> before = content(*disk);
  const Chain chain = disk->chain();
  const std::vector<u8> marked =
      content(*folder.open_layers(std::span(chain.layers).first(chain.marks.back().layers)).value());
  EXPECT_EQ(flatten(folder).error().code(), ErrorCode::kBusy);
  disk.reset();
  ASSERT_TRUE(flatten(folder).ok());
  disk = folder.open().value();
  EXPECT_EQ(content(*disk), before);
  ASSERT_EQ(disk->chain().layers.size(), 2U);
  ASSERT_EQ(disk->chain().marks, (std::vector<Mark>{{"s10", 2}}));
  EXPECT_EQ(content(*folder.open_layers(disk->chain().layers).value()), marked);
  disk.reset();
  EXPECT_TRUE(flatten(folder).ok());  // nothing is left to be done
  u64 files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(path_)) ++files;
  EXPECT_EQ(files, 3U);  // the record, the layer, the top
}

TEST_F(DiskFolderTest, WhatAKilledSnapshotLeftIsInNobodysWay) {
  auto disk = make();
  write(*disk, 0, 1);
  std::ofstream(path_ / "disk.2.overlay") << "half an overlay";
  EXPECT_TRUE(disk->snapshot("s").ok());
  EXPECT_EQ(read(*disk, 0), 1);
}

TEST_F(DiskFolderTest, AFailedSnapshotChangesNothing) {
  auto disk = make();
  write(*disk, 0, 1);
  std::filesystem::rename(path_ / "chain.json", path_ / "chain.json.old");
  std::filesystem::create_directory(path_ / "chain.json");  // cannot be replaced by a file
  EXPECT_FALSE(disk->snapshot("s").ok());
  write(*disk, 0, 2);
  EXPECT_EQ(disk->chain().layers.size(), 0U);
  disk.reset();
  std::filesystem::remove(path_ / "chain.json");
  std::filesystem::rename(path_ / "chain.json.old", path_ / "chain.json");
  EXPECT_EQ(read(*DiskFolder(path_).open().value(), 0), 2);
}

// The child writes round after round, flushes, makes snapshots, and says on the pipe what is certain. Killed at any
// instant, all that it said is so.
[[noreturn]] void write_until_killed(const std::filesystem::path& path, int pipe) {
  auto disk = DiskFolder(path).open().value();
  for (u8 round = 1;; ++round) {
    for (u64 cluster = 0; cluster < 8; ++cluster) {
      if (!disk->write(cluster * kCluster, std::vector<u8>(512, round)).ok()) ::_exit(1);
    }
    if (!disk->flush().ok()) ::_exit(2);
    if (round % 2 == 0 && disk->chain().layers.size() < kMaxLayers && !disk->snapshot(std::to_string(round)).ok())
      ::_exit(3);
    if (::write(pipe, &round, 1) != 1) ::_exit(4);
    if (round >= 100) ::_exit(0);
  }
}

TEST_F(DiskFolderTest, KilledAtAnyInstantItIsBeforeOrAfterASnapshot) {
  std::mt19937 random(11);
  for (int attempt = 0; attempt < 12; ++attempt) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
    make().reset();
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    if (child == 0) write_until_killed(path_, pipe[1]);
    ::close(pipe[1]);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60000));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
    u8 told = 0;
    for (u8 next = 0; ::read(pipe[0], &next, 1) == 1;) told = next;
    ::close(pipe[0]);

    auto disk = DiskFolder(path_).open().value();
    for (u64 cluster = 0; cluster < 8; ++cluster) {
      const u8 value = read(*disk, cluster * kCluster);
      EXPECT_TRUE(value == told || value == told + 1) << int{value} << " after " << int{told};
    }
    for (const Mark& mark : disk->chain().marks) {
      const auto then = disk->folder().open_layers(std::span(disk->chain().layers).first(mark.layers)).value();
      for (u64 cluster = 0; cluster < 8; ++cluster) {
        EXPECT_EQ(std::to_string(read(*then, cluster * kCluster)), mark.name);
      }
    }
  }
}

TEST(Chain, ComesBackAsWrittenAndRefusesNonsense) {
  const Chain chain{.layers = {{"/images/disk.raw", true}, {"disk.1.overlay", false}},
                    .top = "disk.2.overlay",
                    .marks = {{"snap-1", 1}}};
  EXPECT_EQ(parse_chain(encode_chain(chain)).value(), chain);
  for (const char* const text :
       {"", "[]", "{}", R"({"layers":[],"top":"../x","marks":[]})", R"({"layers":[],"top":"","marks":[]})",
        R"({"layers":[{"file":"a/b","raw":false}],"top":"t","marks":[]})",
        R"({"layers":[{"file":"a","raw":true},{"file":"b","raw":true}],"top":"t","marks":[]})",
        R"({"layers":[],"top":"t","marks":[{"name":"m","layers":1}]})", R"({"layers":[7],"top":"t","marks":[]})"}) {
    EXPECT_EQ(parse_chain(text).error().code(), ErrorCode::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace pileus::store
