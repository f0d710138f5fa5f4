#include "virtio/overlay.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "base/log.h"
#include "virtio/raw_file.h"

namespace pileus::virtio {
namespace {

constexpr u64 kCluster = Overlay::kClusterSize;
constexpr u64 kSector = 512;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = ::testing::TempDir() + "overlay_XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class OverlayTest : public ::testing::Test {
 protected:
  static constexpr u64 kBaseSize = 3 * kCluster + 1000;
  static constexpr u64 kVirtualSize = 8 * kCluster + 512;

  OverlayTest() {
    std::ofstream base(base_path_, std::ios::binary);
    for (u64 i = 0; i < kBaseSize; ++i) base.put(base_byte(i));
    base.close();
    created_ = Overlay::create(path_, kBaseSize, kVirtualSize);
  }
  static char base_byte(u64 i) { return static_cast<char>(i / 512 * 31 + i % 251 + 1); }

  Result<std::unique_ptr<Overlay>> open() {
    auto base = RawFile::open(base_path_, Access::kReadOnly);
    if (!base.ok()) return std::move(base).error();
    return Overlay::open(path_, std::move(base).value());
  }
  static std::vector<u8> read(Overlay& overlay, u64 offset, u64 length) {
    std::vector<u8> bytes(length, 0xEE);
    EXPECT_TRUE(overlay.read(offset, bytes).ok());
    return bytes;
  }
  static std::vector<u8> base_bytes(u64 offset, u64 length) {
    std::vector<u8> bytes(length);
    for (u64 i = 0; i < length && offset + i < kBaseSize; ++i) {
      bytes[i] = static_cast<u8>(base_byte(offset + i));
    }
    return bytes;
  }

  TemporaryFolder folder_;
  std::string base_path_ = folder_.file("base");
  std::string path_ = folder_.file("overlay");
  Result<> created_;
};

TEST_F(OverlayTest, ANewOverlayReadsAsTheBaseAndThenZero) {
  ASSERT_TRUE(created_.ok()) << created_.error().message();
  auto overlay = open();
  ASSERT_TRUE(overlay.ok()) << overlay.error().message();
  EXPECT_EQ((*overlay)->size(), kVirtualSize);
  EXPECT_EQ(read(**overlay, 0, kVirtualSize), base_bytes(0, kVirtualSize));
  EXPECT_EQ((*overlay)->changed_clusters(), 0U);
}

TEST_F(OverlayTest, WritesStayAndTheBaseDoesNotChange) {
  std::vector<u8> expected = base_bytes(0, kVirtualSize);
  {
    auto overlay = open();
    ASSERT_TRUE(overlay.ok());
    for (const u64 offset : {u64{0}, kCluster - 512, 3 * kCluster + 512, kVirtualSize - 2048}) {
      const std::vector<u8> data(2048, static_cast<u8>(offset / 512 + 1));
      ASSERT_TRUE((*overlay)->write(offset, data).ok());
      std::copy(data.begin(), data.end(), expected.begin() + static_cast<std::ptrdiff_t>(offset));
    }
    EXPECT_EQ(read(**overlay, 0, kVirtualSize), expected);
  }
  auto overlay = open();
  ASSERT_TRUE(overlay.ok());
  EXPECT_EQ(read(**overlay, 0, kVirtualSize), expected);
  EXPECT_EQ((*overlay)->changed_clusters(), 5U);
  auto base = RawFile::open(base_path_, Access::kReadOnly);
  ASSERT_TRUE(base.ok());
  std::vector<u8> bytes(kBaseSize);
  ASSERT_TRUE((*base)->read(0, bytes).ok());
  EXPECT_EQ(bytes, base_bytes(0, kBaseSize));
}

TEST_F(OverlayTest, ZeroesAndDiscards) {
  auto overlay = open();
  ASSERT_TRUE(overlay.ok());
  std::vector<u8> expected = base_bytes(0, kVirtualSize);
  // The end of a cluster, a whole one of the base, a part, and what is zero already.
  ASSERT_TRUE((*overlay)->write_zeroes(kCluster - 1024, 1024 + kCluster + 512).ok());
  std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(kCluster - 1024), 1024 + kCluster + 512, u8{0});
  EXPECT_EQ(read(**overlay, 0, kVirtualSize), expected);
  EXPECT_EQ((*overlay)->changed_clusters(), 3U);
  ASSERT_TRUE((*overlay)->write_zeroes(5 * kCluster, 2 * kCluster).ok());
  EXPECT_EQ((*overlay)->changed_clusters(), 3U);
  ASSERT_TRUE((*overlay)->discard(0, kVirtualSize).ok());
  EXPECT_EQ(read(**overlay, 3 * kCluster, 1000), base_bytes(3 * kCluster, 1000));  // not ours
  // Zeroing over data that was written.
  const std::vector<u8> data(kCluster, 5);
  ASSERT_TRUE((*overlay)->write(6 * kCluster, data).ok());
  ASSERT_TRUE((*overlay)->write_zeroes(6 * kCluster + 512, 512).ok());
  EXPECT_EQ(read(**overlay, 6 * kCluster + 512, 512), std::vector<u8>(512));
  EXPECT_EQ(read(**overlay, 6 * kCluster + 1024, 512), std::vector<u8>(512, 5));
}

TEST_F(OverlayTest, RangesBeyondTheDiskAreRefused) {
  auto overlay = open();
  ASSERT_TRUE(overlay.ok());
  std::vector<u8> bytes(1024);
  EXPECT_FALSE((*overlay)->read(kVirtualSize - 512, bytes).ok());
  EXPECT_FALSE((*overlay)->write(~u64{0} - 100, bytes).ok());
  EXPECT_FALSE((*overlay)->write_zeroes(0, ~u64{0}).ok());
  EXPECT_FALSE((*overlay)->discard(kVirtualSize, 1).ok());
}

TEST_F(OverlayTest, ADiskInUseIsRefusedWithASentence) {
  auto first = open();
  ASSERT_TRUE(first.ok());
  const auto second = open();
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), ErrorCode::kBusy);
  EXPECT_NE(second.error().message().find(path_), std::string::npos);
  EXPECT_NE(second.error().message().find("in use"), std::string::npos);
  // Many overlays may share the base, but nobody may write it.
  EXPECT_TRUE(RawFile::open(base_path_, Access::kReadOnly).ok());
  EXPECT_FALSE(RawFile::open(base_path_, Access::kReadWrite).ok());
}

TEST_F(OverlayTest, CreateRefusesNonsense) {
  EXPECT_EQ(Overlay::create(path_, kBaseSize, kVirtualSize).error().code(), ErrorCode::kExists);
  EXPECT_FALSE(Overlay::create(folder_.file("a"), 4096, 512).ok());
  EXPECT_FALSE(Overlay::create(folder_.file("a"), 0, 0).ok());
  EXPECT_FALSE(Overlay::create(folder_.file("a"), 0, ~u64{0}).ok());
  EXPECT_FALSE(Overlay::create(folder_.file("no/such/folder"), 0, 512).ok());
  for (const auto& entry : std::filesystem::directory_iterator(folder_.file(""))) {
    EXPECT_TRUE(entry.path() == base_path_ || entry.path() == path_) << entry.path();
  }
}

TEST_F(OverlayTest, AnOverlayIsSparse) {
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_GT(status.st_size, static_cast<off_t>(8 * kCluster));
  EXPECT_LT(status.st_blocks * 512, static_cast<off_t>(kCluster));
}

TEST_F(OverlayTest, AnotherBaseIsRefused) {
  std::filesystem::resize_file(base_path_, kBaseSize - 1);
  const auto overlay = open();
  ASSERT_FALSE(overlay.ok());
  EXPECT_EQ(overlay.error().code(), ErrorCode::kInvalid);
}

TEST_F(OverlayTest, ATruncatedOverlayIsRefusedAtEveryLength) {
  const u64 full = std::filesystem::file_size(path_);
  for (u64 size = full - 1; size > kCluster; size -= std::min<u64>(size - kCluster, 4099)) {
    std::filesystem::resize_file(path_, size);
    const auto overlay = open();
    ASSERT_FALSE(overlay.ok()) << size;
    ASSERT_EQ(overlay.error().code(), ErrorCode::kCorrupt);
  }
  for (const u64 size : {kCluster, u64{4096}, u64{4095}, u64{48}, u64{1}, u64{0}}) {
    std::filesystem::resize_file(path_, size);
    ASSERT_EQ(open().error().code(), ErrorCode::kCorrupt) << size;
  }
}

TEST_F(OverlayTest, EveryDamagedByteOfTheHeaderIsNoticed) {
  for (off_t at = 0; at < 44; ++at) {
    const int fd = ::open(path_.c_str(), O_RDWR);
    u8 byte = 0;
    ASSERT_EQ(::pread(fd, &byte, 1, at), 1);
    byte ^= 0x40;
    ASSERT_EQ(::pwrite(fd, &byte, 1, at), 1);
    EXPECT_FALSE(open().ok()) << at;
    byte ^= 0x40;
    ASSERT_EQ(::pwrite(fd, &byte, 1, at), 1);
    ::close(fd);
  }
  EXPECT_TRUE(open().ok());
}

// --- Power cuts
// -----------------------------------------------------------------------------------

// A file in memory that knows what is durable, and can be cut off after any number of operations.
struct Media {
  std::vector<u8> durable;
  std::vector<u8> cached;    // what is read
  std::set<u64> unsynced;    // sectors where the two may differ
  int operations_left = -1;  // -1: no limit
  bool is_full = false;
};

class CutDisk : public DiskFile {
 public:
  explicit CutDisk(Media& media) : media_(media) {}
  u64 size() const override { return media_.cached.size(); }
  Result<> read(u64 offset, std::span<u8> out) override {
    TRY(check_range(offset, out.size(), size()));
    std::memcpy(out.data(), &media_.cached[offset], out.size());
    return {};
  }
  Result<> write(u64 offset, std::span<const u8> data) override {
    TRY(check_range(offset, data.size(), size()));
    TRY(step());
    std::memcpy(&media_.cached[offset], data.data(), data.size());
    touch(offset, data.size());
    return {};
  }
  Result<> zero(u64 offset, u64 length) override {
    const std::vector<u8> zeroes(length);
    return write(offset, zeroes);
  }
  Result<> discard(u64 offset, u64 length) override { return zero(offset, length); }
  Result<> check_room(u64) override {
    if (media_.is_full) return Error(ErrorCode::kExhausted, "no room");
    return {};
  }
  Result<> sync() override {
    TRY(step());
    media_.durable = media_.cached;
    media_.unsynced.clear();
    return {};
  }

 private:
  Result<> step() {
    if (media_.operations_left == 0) return Error(ErrorCode::kIo, "the power is off");
    if (media_.operations_left > 0) --media_.operations_left;
    return {};
  }
  void touch(u64 offset, u64 length) {
    for (u64 sector = offset / kSector; sector * kSector < offset + length; ++sector) {
      media_.unsynced.insert(sector);
    }
  }
  Media& media_;
};

class PatternDisk : public BlockBackend {
 public:
  explicit PatternDisk(u64 size) : size_(size) {}
  u64 size() const override { return size_; }
  bool read_only() const override { return true; }
  Result<> read(u64 offset, std::span<u8> out) override {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = at((offset + i) / kSector);
    return {};
  }
  static u8 at(u64 sector) { return static_cast<u8>(200 + sector % 50); }
  Result<> write(u64, std::span<const u8>) override { return no(); }
  Result<> flush() override { return {}; }
  Result<> discard(u64, u64) override { return no(); }
  Result<> write_zeroes(u64, u64) override { return no(); }

 private:
  static Error no() { return {ErrorCode::kPermission, "the base was written"}; }
  u64 size_;
};

TEST(OverlayWithoutRoom, TakesNoNewClustersAndLosesNothing) {
  constexpr u64 kSize = 4 * kCluster;
  TemporaryFolder folder;
  ASSERT_TRUE(Overlay::create(folder.file("overlay"), kSize, kSize).ok());
  std::ifstream file(folder.file("overlay"), std::ios::binary);
  Media media;
  media.cached.assign(std::istreambuf_iterator<char>(file), {});
  const auto overlay =
      Overlay::open(std::make_unique<CutDisk>(media), "test", std::make_unique<PatternDisk>(kSize)).value();
  const std::vector<u8> sector(kSector, 0x11), cluster(kCluster, 0x22);
  ASSERT_TRUE(overlay->write(0, sector).ok());
  media.is_full = true;
  EXPECT_TRUE(overlay->write(kSector, sector).ok()) << "its cluster has its room";
  EXPECT_TRUE(overlay->flush().ok());
  EXPECT_EQ(overlay->write(kCluster, sector).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(overlay->write(2 * kCluster, cluster).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(overlay->write_zeroes(3 * kCluster, kSector).error().code(), ErrorCode::kExhausted);
  EXPECT_EQ(overlay->changed_clusters(), 1U);
  std::vector<u8> read(kSector);
  ASSERT_TRUE(overlay->read(kCluster, read).ok());
  EXPECT_EQ(read[0], PatternDisk::at(kCluster / kSector)) << "as before";
  media.is_full = false;
  EXPECT_TRUE(overlay->write(kCluster, sector).ok());
}

class PowerCutTest : public ::testing::Test {
 protected:
  static constexpr u64 kSize = 4 * kCluster;
  static constexpr u64 kBase = 3 * kCluster;
  static constexpr u64 kSectors = kSize / kSector;

  PowerCutTest() : log_level_(log::level()) {
    log::set_level(log::Level::kOff);  // every cut is reported, and that is many
    TemporaryFolder folder;
    const std::string path = folder.file("overlay");
    EXPECT_TRUE(Overlay::create(path, kBase, kSize).ok());
    std::ifstream file(path, std::ios::binary);
    fresh_.assign(std::istreambuf_iterator<char>(file), {});
  }
  ~PowerCutTest() override { log::set_level(log_level_); }
  static Result<std::unique_ptr<Overlay>> open(Media& media) {
    return Overlay::open(std::make_unique<CutDisk>(media), "test", std::make_unique<PatternDisk>(kBase));
  }

  // What each sector may read as: what the last flush promised, or anything written since.
  using Allowed = std::vector<std::set<u8>>;
  static Allowed initial() {
    Allowed allowed(kSectors);
    for (u64 i = 0; i < kSectors; ++i) allowed[i] = {i * kSector < kBase ? PatternDisk::at(i) : u8{0}};
    return allowed;
  }

  // Runs a fixed list of requests until one fails; true when all were done.
  static bool run_script(Overlay& overlay, Allowed& allowed, u32 seed) {
    std::mt19937 random(seed);
    std::vector<u8> now(kSectors);
    for (u64 i = 0; i < kSectors; ++i) now[i] = *allowed[i].begin();
    for (int request = 1; request <= 24; ++request) {
      const u64 kind = random() % 6;
      if (kind == 0) {
        if (!overlay.flush().ok()) return false;
        for (u64 i = 0; i < kSectors; ++i) allowed[i] = {now[i]};
        continue;
      }
      const u64 first = random() % kSectors;
      const u64 count = std::min<u64>(kSectors - first, random() % 4 == 0 ? 200 : 1 + random() % 16);
      const u8 value = kind == 1 ? u8{0} : static_cast<u8>(request);
      for (u64 i = first; i < first + count; ++i) {
        allowed[i].insert(value);
        now[i] = value;
      }
      const std::vector<u8> data(count * kSector, value);
      const Result<> done =
          kind == 1 ? overlay.write_zeroes(first * kSector, data.size()) : overlay.write(first * kSector, data);
      if (!done.ok()) return false;
    }
    return true;
  }

  static void check(Media media, const Allowed& allowed, const std::string& when) {
    media.operations_left = -1;
    auto overlay = open(media);
    ASSERT_TRUE(overlay.ok()) << when << overlay.error().message();
    std::vector<u8> sector(kSector);
    for (u64 i = 0; i < kSectors; ++i) {
      ASSERT_TRUE((*overlay)->read(i * kSector, sector).ok());
      ASSERT_TRUE(allowed[i].contains(sector[0])) << when << "sector " << i << " reads " << int{sector[0]};
      ASSERT_EQ(std::count(sector.begin(), sector.end(), sector[0]), static_cast<long>(kSector));
    }
  }

  log::Level log_level_;
  std::vector<u8> fresh_;
};

TEST_F(PowerCutTest, NoCutShowsAnythingButOldOrNewSectors) {
  std::mt19937 random(7);
  for (u32 seed = 1; seed <= 3; ++seed) {
    bool finished = false;
    for (int operations = 0; !finished; ++operations) {
      Media media{fresh_, fresh_, {}, operations};
      Allowed allowed = initial();
      {
        auto overlay = open(media);
        ASSERT_TRUE(overlay.ok());
        finished = run_script(**overlay, allowed, seed);
        media.operations_left = 0;  // closing must not help
      }
      const std::string when = "seed " + std::to_string(seed) + ", after " + std::to_string(operations) + ": ";
      // kill -9: the page cache survives.
      check(Media{media.cached, media.cached, {}, -1}, allowed, when + "killed, ");
      // Power cut: any of the unsynced sectors may have reached the disk, or none.
      for (int round = 0; round < 3; ++round) {
        Media after{media.durable, {}, {}, -1};
        for (const u64 sector : media.unsynced) {
          if (round == 0 || random() % 2 == 0) continue;
          std::memcpy(&after.durable[sector * kSector], &media.cached[sector * kSector], kSector);
        }
        after.cached = after.durable;
        check(after, allowed, when + "power cut, ");
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_F(PowerCutTest, AFailedWriteDoesNotChangeTheCluster) {
  Media media{fresh_, fresh_, {}, 0};
  auto overlay = open(media);
  ASSERT_TRUE(overlay.ok());
  for (const u64 length : {kSector, kCluster}) {
    const std::vector<u8> data(length, 9);
    media.operations_left = 0;
    EXPECT_FALSE((*overlay)->write(0, data).ok());
    EXPECT_FALSE((*overlay)->write_zeroes(0, length).ok());
    media.operations_left = -1;
    EXPECT_TRUE((*overlay)->flush().ok());
    std::vector<u8> sector(kSector);
    ASSERT_TRUE((*overlay)->read(0, sector).ok());
    EXPECT_EQ(sector[0], PatternDisk::at(0));
  }
}

TEST_F(PowerCutTest, AFailedFlushIsTriedAgain) {
  Media media{fresh_, fresh_, {}, -1};
  {
    auto overlay = open(media);
    ASSERT_TRUE(overlay.ok());
    const std::vector<u8> data(kSector, 9);
    ASSERT_TRUE((*overlay)->write(0, data).ok());
    media.operations_left = 2;  // the first sync and the bitmap, but not the second sync
    EXPECT_FALSE((*overlay)->flush().ok());
    media.operations_left = -1;
    EXPECT_TRUE((*overlay)->flush().ok());
    media.operations_left = 0;
  }
  media.cached = media.durable;
  media.operations_left = -1;
  auto overlay = open(media);
  ASSERT_TRUE(overlay.ok());
  std::vector<u8> sector(kSector);
  ASSERT_TRUE((*overlay)->read(0, sector).ok());
  EXPECT_EQ(sector[0], 9);
}

}  // namespace
}  // namespace pileus::virtio
