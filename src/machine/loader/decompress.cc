#include "machine/loader/decompress.h"

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <memory>

#include "machine/loader/elf.h"

namespace pileus::machine {

namespace {

Error damaged(const char* method) {
  return {ErrorCode::kCorrupt, std::string("damaged or truncated: its ") + method + " stream does not unpack"};
}
Error too_big(u64 limit) {
  return {ErrorCode::kExhausted, "unpacks to more than " + std::to_string(limit / kMiB) + " MiB"};
}

Result<UnpackedBytes> unpack_gzip(Bytes packed, u64 limit) {
  z_stream stream{};
  constexpr int kGzipWrapper = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipWrapper) != Z_OK) return Error(ErrorCode::kExhausted, "no memory to unpack gzip");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  if (packed.size() > UINT32_MAX) return damaged("gzip");
  stream.next_in = const_cast<u8*>(packed.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(packed.size());
  OutputBuffer output = TRY(OutputBuffer::create(limit));
  for (int status = Z_OK; status != Z_STREAM_END;) {
    const auto room = output.room();
    if (room.empty()) return too_big(limit);
    const auto offered = static_cast<uInt>(std::min<u64>(room.size(), kGiB));
    stream.next_out = room.data();
    stream.avail_out = offered;
    status = inflate(&stream, Z_NO_FLUSH);
    output.advance(offered - stream.avail_out);
    if (status != Z_OK && status != Z_STREAM_END) return damaged("gzip");
  }
  return std::move(output).take();
}

// xz and the older lzma-alone format; liblzma tells them apart.
Result<UnpackedBytes> unpack_lzma(Bytes packed, u64 limit) {
  constexpr u64 kMemoryLimit = 256 * kMiB;  // dictionary; the kernel uses 128 MiB at most
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_auto_decoder(&stream, kMemoryLimit, 0) != LZMA_OK) {
    return Error(ErrorCode::kExhausted, "no memory to unpack xz");
  }
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> guard(&stream, lzma_end);
  stream.next_in = packed.data();
  stream.avail_in = packed.size();
  OutputBuffer output = TRY(OutputBuffer::create(limit));
  for (lzma_ret status = LZMA_OK; status != LZMA_STREAM_END;) {
    const auto room = output.room();
    if (room.empty()) return too_big(limit);
    stream.next_out = room.data();
    stream.avail_out = room.size();
    status = lzma_code(&stream, LZMA_RUN);
    output.advance(room.size() - stream.avail_out);
    if (status != LZMA_OK && status != LZMA_STREAM_END) return damaged("xz");
  }
  return std::move(output).take();
}

Result<UnpackedBytes> unpack_zstd(Bytes packed, u64 limit) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return Error(ErrorCode::kExhausted, "no memory to unpack zstd");
  ZSTD_inBuffer input{packed.data(), packed.size(), 0};
  OutputBuffer output = TRY(OutputBuffer::create(limit));
  for (size_t status = 1; status != 0;) {
    const auto room = output.room();
    if (room.empty()) return too_big(limit);
    const size_t consumed = input.pos;
    ZSTD_outBuffer target{room.data(), room.size(), 0};
    status = ZSTD_decompressStream(context.get(), &target, &input);
    if (ZSTD_isError(status) != 0) return damaged("zstd");
    const bool stuck = target.pos == 0 && input.pos == consumed;
    if (status != 0 && stuck) return damaged("zstd");
    output.advance(target.pos);
  }
  return std::move(output).take();
}

// The legacy frame (lz4 doc/lz4_Frame_format.md, "Legacy frame"):
//   frame = magic:u32 block*        block = packed_size:u32 lz4_block
// Each block unpacks to 8 MiB, the last to less. Concatenated frames repeat the magic. There is no
// end mark: the kernel's trailing u32 (the unpacked size) is what is left when fewer than 8 bytes
// remain.
constexpr u32 kLz4LegacyMagic = 0x184C2102;
constexpr u64 kLz4Block = 8 * kMiB;

Result<UnpackedBytes> unpack_lz4(Bytes packed, u64 limit) {
  OutputBuffer output = TRY(OutputBuffer::create(limit));
  u64 offset = sizeof kLz4LegacyMagic;
  while (packed.size() - offset > sizeof(u32)) {
    const u32 size = *load<u32>(packed, offset);
    offset += sizeof size;
    if (size == kLz4LegacyMagic) continue;
    const auto data = slice(packed, offset, size);
    if (!data || size == 0 || size > static_cast<u32>(LZ4_compressBound(kLz4Block))) return damaged("lz4");
    offset += size;
    const auto room = output.room(kLz4Block);
    const int got =
        LZ4_decompress_safe(reinterpret_cast<const char*>(data->data()), reinterpret_cast<char*>(room.data()),
                            static_cast<int>(size), static_cast<int>(room.size()));
    if (got < 0) return room.size() < kLz4Block ? too_big(limit) : damaged("lz4");
    output.advance(static_cast<u64>(got));
  }
  return std::move(output).take();
}

bool starts_with(Bytes bytes, std::initializer_list<u8> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

}  // namespace

Result<UnpackedBytes> decompress(Bytes packed, u64 limit) {
  if (looks_like_elf(packed)) {
    OutputBuffer output = TRY(OutputBuffer::create(limit));
    const auto room = output.room(packed.size());
    if (room.size() != packed.size()) return too_big(limit);
    std::copy(packed.begin(), packed.end(), room.begin());
    output.advance(room.size());
    return std::move(output).take();
  }
  if (starts_with(packed, {0x1F, 0x8B})) return unpack_gzip(packed, limit);
  if (starts_with(packed, {0xFD, '7', 'z', 'X', 'Z', 0})) return unpack_lzma(packed, limit);
  if (starts_with(packed, {0x5D, 0, 0})) return unpack_lzma(packed, limit);
  if (starts_with(packed, {0x02, 0x21, 0x4C, 0x18})) return unpack_lz4(packed, limit);
  if (starts_with(packed, {0x28, 0xB5, 0x2F, 0xFD})) return unpack_zstd(packed, limit);
  return Error(ErrorCode::kUnsupported,
               "its payload is packed in a way not known here (known: gzip, xz, lzma, lz4, zstd)");
}

}  // namespace pileus::machine
