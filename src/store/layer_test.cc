// Layers by their content: manifests, drafts, and the folder that has them.
#include <gtest/gtest.h>

#include <fstream>

#include "os/file.h"
#include "store/clone.h"
#include "store/layer_folder.h"

namespace pileus::store {
namespace {

class LayerTest : public ::testing::Test {
 protected:
  // A disk of 6 clusters over a base of 4: cluster 0 is zero over data, 1 as below, 4 data, 5 (a part of one) data.
  LayerTest() {
    std::ofstream base(base_, std::ios::binary);
    for (const char letter : {'a', 'b', '\0', 'd'}) base << std::string(kCluster, letter);
    base.close();
    EXPECT_TRUE(make_disk({{base_, true}}, disk_path_, 5 * kCluster + 512).ok());
    auto disk = DiskFolder(disk_path_).open().value();
    EXPECT_TRUE(disk->write_zeroes(0, kCluster).ok());
    EXPECT_TRUE(disk->write(4 * kCluster, std::vector<u8>(512, 7)).ok());
    EXPECT_TRUE(disk->write(5 * kCluster, std::vector<u8>(512, 9)).ok());
    EXPECT_TRUE(disk->snapshot("now").ok());
    overlay_ = disk->folder().file(disk->chain().layers[1].file);
  }
  static std::vector<u8> cluster(LayerFile& file, u64 index) {
    std::vector<u8> bytes(kCluster);
    EXPECT_TRUE(file.read(index, bytes).ok());
    return bytes;
  }
  // Brings a layer from one folder into the other, as hosts do; stops after `most` clusters.
  static Result<> bring(const LayerFolder& from, const LayerFolder& to, const std::string& id, u64 most = ~u64{0}) {
    const Layer layer = TRY(from.layer(id));
    LayerFile file = TRY(LayerFile::open(layer.file, layer.raw));
    const std::string encoded = TRY(from.encoded_manifest(id));
    const Manifest manifest = TRY(parse_manifest(encoded));
    LayerDraft draft = TRY(to.receive(id, encoded));
    u64 number = 0;
    for (u64 i = 0; i < manifest.clusters.size(); ++i) {
      if (manifest.clusters[i] != ClusterState::kData || number++ < draft.received()) continue;
      if (most-- == 0) return Error(ErrorCode::kGone, "the test stops here");
      TRY(draft.add(cluster(file, i)));
    }
    TRY(draft.finish());
    return to.accept(id);
  }

  os::TemporaryDirectory folder_ = os::TemporaryDirectory::create(::testing::TempDir() + "layer_").value();
  std::string base_ = (folder_.path() / "base.raw").string();
  std::filesystem::path disk_path_ = folder_.path() / "disk";
  std::string overlay_;
  LayerFolder here_ = LayerFolder::open(folder_.path() / "here").value();
  LayerFolder there_ = LayerFolder::open(folder_.path() / "there").value();
};

TEST_F(LayerTest, AManifestTellsWhatALayerHolds) {
  using enum ClusterState;
  const Manifest raw = scan_layer(base_, true, {}).value();
  EXPECT_EQ(raw.clusters, (std::vector{kData, kData, kZero, kData}));
  const Manifest over = scan_layer(overlay_, false, {}).value();
  EXPECT_EQ(over.clusters, (std::vector{kZero, kBelow, kBelow, kBelow, kData, kData}));
  EXPECT_EQ(over.base_size, 4 * kCluster);
  EXPECT_EQ(over.disk_size, 5 * kCluster + 512);
  EXPECT_EQ(over.data_bytes(), 2 * kCluster);
  for (const Manifest& manifest : {raw, over}) {
    EXPECT_EQ(parse_manifest(encode_manifest(manifest)).value(), manifest);
  }
  EXPECT_EQ(scan_layer(base_, true, [](double) { return false; }).error().code(), ErrorCode::kGone);
}

TEST_F(LayerTest, EveryCutOrChangedManifestIsNoticed) {
  const std::string whole = encode_manifest(scan_layer(overlay_, false, {}).value());
  const std::string id = id_of(whole);
  EXPECT_TRUE(is_layer_id(id));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_manifest(std::string_view(whole).substr(0, size)).ok()) << size;
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    EXPECT_FALSE(there_.receive(id, changed).ok()) << at;
  }
}

TEST_F(LayerTest, TheIdIsThatOfTheContent) {
  const std::string id = here_.adopt(base_, true, {}).value();
  EXPECT_EQ(here_.adopt(base_, true, {}).value(), id);
  const std::string copy = (folder_.path() / "copy.raw").string();
  std::filesystem::copy_file(base_, copy);
  EXPECT_EQ(there_.adopt(copy, true, {}).value(), id);
  const std::string other = (folder_.path() / "other.raw").string();
  std::filesystem::copy_file(base_, other);
  std::ofstream(other, std::ios::binary | std::ios::in).put('x');
  EXPECT_NE(there_.adopt(other, true, {}).value(), id);
}

// Else garbage collection could take an old layer from under whoever has just adopted the same bytes.
TEST_F(LayerTest, AdoptingALayerThatIsHereMakesItYoung) {
  const std::string id = here_.adopt(base_, true, {}).value();
  const auto old = here_.since(id) - std::chrono::hours(1);
  std::filesystem::last_write_time(folder_.path() / "here" / (id + ".manifest"), old);
  const std::string copy = (folder_.path() / "copy.raw").string();
  std::filesystem::copy_file(base_, copy);
  EXPECT_EQ(here_.adopt(copy, true, {}).value(), id);
  EXPECT_GT(here_.since(id), old + std::chrono::minutes(30));
}

TEST_F(LayerTest, ADiskOfBroughtLayersReadsTheSame) {
  std::vector<Layer> layers;
  for (const auto& [path, raw] : {std::pair{base_, true}, std::pair{overlay_, false}}) {
    const std::string id = here_.adopt(path, raw, {}).value();
    EXPECT_FALSE(there_.has(id));
    ASSERT_TRUE(bring(here_, there_, id).ok());
    EXPECT_TRUE(there_.has(id));
    const Layer layer = there_.layer(id).value();
    EXPECT_EQ(layer.raw, raw);
    EXPECT_EQ(id_of(encode_manifest(scan_layer(layer.file, raw, {}).value())), id);
    layers.push_back(layer);
  }
  ASSERT_TRUE(make_disk(layers, folder_.path() / "other", 5 * kCluster + 512).ok());
  for (const std::string& id : there_.ids()) EXPECT_TRUE(there_.remove(id).ok());
  EXPECT_TRUE(there_.ids().empty());
  const auto mine = DiskFolder(disk_path_).open().value();
  const auto other = DiskFolder(folder_.path() / "other").open().value();
  std::vector<u8> a(5 * kCluster + 512), b(a.size());
  ASSERT_TRUE(mine->read(0, a).ok());
  ASSERT_TRUE(other->read(0, b).ok());
  EXPECT_EQ(a, b);
}

TEST_F(LayerTest, AnInterruptedDraftGoesOn) {
  const std::string id = here_.adopt(base_, true, {}).value();
  EXPECT_EQ(bring(here_, there_, id, 2).error().code(), ErrorCode::kGone);
  EXPECT_FALSE(there_.has(id));
  const std::string encoded = there_.wanted_manifest(id).value();
  {
    LayerDraft draft = there_.receive(id, encoded).value();
    EXPECT_EQ(draft.received(), 2U);
    EXPECT_FALSE(draft.finish().ok());
    EXPECT_EQ(draft.add(std::vector<u8>(kCluster, 'x')).error().code(), ErrorCode::kCorrupt);
    EXPECT_EQ(draft.received(), 2U);
  }
  std::filesystem::resize_file(there_.path() / (id + ".part"), 100);  // the power went
  EXPECT_EQ(there_.receive(id, encoded).value().received(), 0U);
  EXPECT_TRUE(bring(here_, there_, id).ok());
  EXPECT_TRUE(there_.has(id));
}

TEST_F(LayerTest, ClonesGoTheirOwnWay) {
  const DiskFolder from(disk_path_);
  ASSERT_TRUE(clone(from, 2, folder_.path() / "clone", 6 * kCluster).ok());
  EXPECT_EQ(clone(from, 2, folder_.path() / "clone", 6 * kCluster).error().code(), ErrorCode::kExists);
  EXPECT_EQ(clone(from, 3, folder_.path() / "more", 6 * kCluster).error().code(), ErrorCode::kInvalid);
  std::filesystem::remove_all(disk_path_);
  const auto disk = DiskFolder(folder_.path() / "clone").open().value();
  EXPECT_EQ(disk->size(), 6 * kCluster);
  std::vector<u8> bytes(1);
  ASSERT_TRUE(disk->read(5 * kCluster, bytes).ok());
  EXPECT_EQ(bytes[0], 9);
  ASSERT_TRUE(disk->read(kCluster, bytes).ok());
  EXPECT_EQ(bytes[0], 'b');
}

}  // namespace
}  // namespace pileus::store
