// All numbers little-endian:
//
//   manifest := header states hashes
//   header   := "PILEUSLM" version:u32 raw:u32 base_size:u64 disk_size:u64
//   states   := ceil(n / 4) bytes for the n clusters of the disk: cluster i in bits 2 * (i % 4) and above of byte i / 4;
//               0: it is as below, 1: it is zero, 2: it is data; the bits left over are 0
//   hashes   := 32 bytes for each cluster that is data
#include "store/manifest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace pileus::store {
namespace {

constexpr std::array<char, 8> kMagic = {'P', 'I', 'L', 'E', 'U', 'S', 'L', 'M'};
constexpr u32 kVersion = 1;
constexpr u64 kMaxDisk = u64{1} << 46;
constexpr unsigned kStatesPerByte = 4;

struct Header {
  std::array<char, 8> magic;
  u32 version;
  u32 raw;
  u64 base_size;
  u64 disk_size;
};
static_assert(sizeof(Header) == 32);

Error corrupt(const std::string& why) { return {ErrorCode::kCorrupt, "a layer's manifest " + why}; }

u64 clusters_of(u64 disk_size) { return align_up(disk_size, kCluster) / kCluster; }

Result<Header> read_header(std::string_view bytes) {
  if (bytes.size() < sizeof(Header)) return corrupt("is too short to be one");
  std::array<char, sizeof(Header)> raw;
  std::copy_n(bytes.begin(), raw.size(), raw.begin());
  const auto header = std::bit_cast<Header>(raw);
  if (header.magic != kMagic || header.version != kVersion) return corrupt("is none, or of another version of Pileus");
  if (header.raw > 1 || header.disk_size == 0 || header.disk_size > kMaxDisk || header.base_size > header.disk_size ||
      (header.raw == 1 && header.base_size != 0)) {
    return corrupt("contradicts itself");
  }
  return header;
}

}  // namespace

std::string encode_manifest(const Manifest& manifest) {
  const Header header{kMagic, kVersion, manifest.raw ? 1U : 0U, manifest.base_size, manifest.disk_size};
  const auto head = std::bit_cast<std::array<char, sizeof header>>(header);
  std::string bytes(head.begin(), head.end());
  const std::size_t states_at = bytes.size();
  bytes.resize(states_at + align_up(manifest.clusters.size(), kStatesPerByte) / kStatesPerByte);
  for (std::size_t i = 0; i < manifest.clusters.size(); ++i) {
    const unsigned shift = 2 * (i % kStatesPerByte);
    char& byte = bytes[states_at + i / kStatesPerByte];
    byte = static_cast<char>(static_cast<unsigned char>(byte) | static_cast<unsigned>(manifest.clusters[i]) << shift);
  }
  for (const Hash& hash : manifest.hashes) bytes.append(hash.begin(), hash.end());
  return bytes;
}

Result<Manifest> parse_manifest(std::string_view bytes) {
  const Header header = TRY(read_header(bytes));
  const u64 count = clusters_of(header.disk_size);
  const u64 state_bytes = align_up(count, kStatesPerByte) / kStatesPerByte;
  bytes.remove_prefix(sizeof(Header));
  if (bytes.size() < state_bytes) return corrupt("ends before its states do");
  Manifest manifest{header.raw == 1, header.base_size, header.disk_size, {}, {}};
  manifest.clusters.reserve(count);
  u64 data = 0;
  for (u64 i = 0; i < state_bytes * kStatesPerByte; ++i) {
    const unsigned state =
        static_cast<unsigned>(static_cast<unsigned char>(bytes[i / kStatesPerByte])) >> (2 * (i % kStatesPerByte)) & 3U;
    if (state > 2 || (i >= count && state != 0)) return corrupt("has an impossible state");
    if (i < count) manifest.clusters.push_back(static_cast<ClusterState>(state));
    if (state == 2) ++data;
  }
  bytes.remove_prefix(state_bytes);
  if (bytes.size() != data * sizeof(Hash)) return corrupt("has not one hash for each cluster");
  manifest.hashes.resize(data);
  for (u64 i = 0; i < data; ++i) std::memcpy(manifest.hashes[i].data(), bytes.data() + i * sizeof(Hash), sizeof(Hash));
  return manifest;
}

Hash hash_of(std::span<const u8> cluster) {
  Hash hash{};
  unsigned size = 0;
  CHECK(EVP_Digest(cluster.data(), cluster.size(), hash.data(), &size, EVP_sha256(), nullptr) == 1 &&
        size == hash.size());
  return hash;
}

std::string id_of(std::string_view encoded_manifest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (const u8 byte : hash_of({reinterpret_cast<const u8*>(encoded_manifest.data()), encoded_manifest.size()})) {
    id += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return id;
}

bool is_layer_id(std::string_view text) {
  constexpr std::size_t kDigits = 2 * sizeof(Hash);
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<Manifest> scan_layer(const std::string& path, bool raw, const Progress& progress) {
  LayerFile file = TRY(LayerFile::open(path, raw));
  const u64 count = file.cluster_count();
  Manifest manifest{raw, file.base_size(), file.disk_size(), {}, {}};
  manifest.clusters.reserve(count);
  std::vector<u8> bytes(kCluster);
  for (u64 i = 0; i < count; ++i) {
    if (!file.holds(i)) {
      manifest.clusters.push_back(ClusterState::kBelow);
      continue;
    }
    TRY(file.read(i, bytes));
    const bool zero = is_zero(bytes);
    manifest.clusters.push_back(zero ? ClusterState::kZero : ClusterState::kData);
    if (!zero) manifest.hashes.push_back(hash_of(bytes));
    if (progress && i % 256 == 0 && !progress(static_cast<double>(i) / static_cast<double>(count))) {
      return Error(ErrorCode::kGone, "reading of layer " + path + " was given up");
    }
  }
  return manifest;
}

}  // namespace pileus::store
