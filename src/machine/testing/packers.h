// Compressing for tests, each method as the kernel's build does it: the unpacked size follows,
// except after gzip.
#pragma once

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <functional>
#include <vector>

#include "base/result.h"
#include "machine/testing/kernels.h"

namespace pileus::machine::testing {

inline void append_size(std::vector<u8>& packed, u64 size) { put(packed, packed.size(), static_cast<u32>(size)); }

inline std::vector<u8> pack_gzip(const std::vector<u8>& plain) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::vector<u8> packed(plain.size() + 1024);
  stream.next_in = const_cast<u8*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::vector<u8> pack_with(lzma_stream& stream, const std::vector<u8>& plain) {
  std::vector<u8> packed(plain.size() + 1024);
  stream.next_in = plain.data();
  stream.avail_in = plain.size();
  stream.next_out = packed.data();
  stream.avail_out = packed.size();
  CHECK(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
  packed.resize(stream.total_out);
  lzma_end(&stream);
  append_size(packed, plain.size());
  return packed;
}

inline std::vector<u8> pack_xz(const std::vector<u8>& plain) {
  lzma_stream stream = LZMA_STREAM_INIT;
  CHECK(lzma_easy_encoder(&stream, 6, LZMA_CHECK_CRC32) == LZMA_OK);
  return pack_with(stream, plain);
}

inline std::vector<u8> pack_lzma(const std::vector<u8>& plain) {
  lzma_stream stream = LZMA_STREAM_INIT;
  lzma_options_lzma options;
  CHECK(lzma_lzma_preset(&options, 6) == 0);
  CHECK(lzma_alone_encoder(&stream, &options) == LZMA_OK);
  return pack_with(stream, plain);
}

inline std::vector<u8> pack_lz4(const std::vector<u8>& plain) {
  std::vector<u8> packed;
  put(packed, 0, u32{0x184C2102});
  constexpr u64 kBlock = 8 * kMiB;
  for (u64 offset = 0; offset < plain.size(); offset += kBlock) {
    const u64 size = std::min(kBlock, plain.size() - offset);
    std::vector<u8> block(static_cast<u64>(LZ4_compressBound(static_cast<int>(size))));
    const int got = LZ4_compress_default(reinterpret_cast<const char*>(plain.data() + offset),
                                         reinterpret_cast<char*>(block.data()), static_cast<int>(size),
                                         static_cast<int>(block.size()));
    put(packed, packed.size(), static_cast<u32>(got));
    packed.insert(packed.end(), block.begin(), block.begin() + got);
  }
  append_size(packed, plain.size());
  return packed;
}

inline std::vector<u8> pack_zstd(const std::vector<u8>& plain) {
  std::vector<u8> packed(ZSTD_compressBound(plain.size()));
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3));
  append_size(packed, plain.size());
  return packed;
}

struct Packer {
  const char* name;
  std::vector<u8> (*pack)(const std::vector<u8>&);
};
inline constexpr Packer kPackers[] = {
    {"gzip", pack_gzip}, {"xz", pack_xz}, {"lzma", pack_lzma}, {"lz4", pack_lz4}, {"zstd", pack_zstd}};

}  // namespace pileus::machine::testing
