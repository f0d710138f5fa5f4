#include "machine/loader/decompress.h"

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "machine/loader/elf.h"

namespace pileus::machine {

namespace {

Error damaged(const char* method) {
  return {ErrorCode::kCorrupt, std::string("damaged or truncated: its ") + method + " stream does not unpack"};
}
Error too_big(u64 limit) {
  return {ErrorCode::kExhausted, "unpacks to more than " + std::to_string(limit / kMiB) + " MiB"};
}

// Where a decompressor writes: a buffer that is handed on whenever it is full.
class Output {
 public:
  Output(u64 piece, u64 limit, const UnpackedSink& sink)
      : buffer_(std::make_unique_for_overwrite<u8[]>(piece)), piece_(piece), limit_(limit), sink_(sink) {}

  // At least one byte.
  std::span<u8> room() const { return {buffer_.get() + used_, piece_ - used_}; }
  Result<> advance(u64 written) {
    used_ += written;
    if (used_ > limit_ - handed_on_) return too_big(limit_);
    return used_ == piece_ ? hand_on() : Result<>{};
  }
  Result<> hand_on() {
    if (used_ == 0) return {};
    handed_on_ += used_;
    return sink_({buffer_.get(), std::exchange(used_, 0)});
  }

 private:
  std::unique_ptr<u8[]> buffer_;
  u64 piece_;
  u64 limit_;
  const UnpackedSink& sink_;
  u64 used_ = 0;
  u64 handed_on_ = 0;
};

constexpr u64 kPiece = 1 * kMiB;

Result<> unpack_gzip(Bytes packed, u64 limit, const UnpackedSink& sink) {
  z_stream stream{};
  constexpr int kGzipWrapper = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipWrapper) != Z_OK) return Error(ErrorCode::kExhausted, "no memory to unpack gzip");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> guard(&stream, inflateEnd);
  if (packed.size() > UINT32_MAX) return damaged("gzip");
  stream.next_in = const_cast<u8*>(packed.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(packed.size());
  Output output(kPiece, limit, sink);
  for (int status = Z_OK; status != Z_STREAM_END;) {
    const auto room = output.room();
    stream.next_out = room.data();
    stream.avail_out = static_cast<uInt>(room.size());
    status = inflate(&stream, Z_NO_FLUSH);
    TRY(output.advance(room.size() - stream.avail_out));
    if (status != Z_OK && status != Z_STREAM_END) return damaged("gzip");
  }
  return output.hand_on();
}

// xz and the older lzma-alone format; liblzma tells them apart.
Result<> unpack_lzma(Bytes packed, u64 limit, const UnpackedSink& sink) {
  constexpr u64 kMemoryLimit = 256 * kMiB;  // dictionary; the kernel uses 128 MiB at most
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_auto_decoder(&stream, kMemoryLimit, 0) != LZMA_OK) {
    return Error(ErrorCode::kExhausted, "no memory to unpack xz");
  }
  const std::unique_ptr<lzma_stream, void (*)(lzma_stream*)> guard(&stream, lzma_end);
  stream.next_in = packed.data();
  stream.avail_in = packed.size();
  Output output(kPiece, limit, sink);
  for (lzma_ret status = LZMA_OK; status != LZMA_STREAM_END;) {
    const auto room = output.room();
    stream.next_out = room.data();
    stream.avail_out = room.size();
    status = lzma_code(&stream, LZMA_RUN);
    TRY(output.advance(room.size() - stream.avail_out));
    if (status != LZMA_OK && status != LZMA_STREAM_END) return damaged("xz");
  }
  return output.hand_on();
}

Result<> unpack_zstd(Bytes packed, u64 limit, const UnpackedSink& sink) {
  const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return Error(ErrorCode::kExhausted, "no memory to unpack zstd");
  ZSTD_inBuffer input{packed.data(), packed.size(), 0};
  Output output(kPiece, limit, sink);
  for (size_t status = 1; status != 0;) {
    const auto room = output.room();
    const size_t consumed = input.pos;
    ZSTD_outBuffer target{room.data(), room.size(), 0};
    status = ZSTD_decompressStream(context.get(), &target, &input);
    if (ZSTD_isError(status) != 0) return damaged("zstd");
    const bool stuck = target.pos == 0 && input.pos == consumed;
    if (status != 0 && stuck) return damaged("zstd");
    TRY(output.advance(target.pos));
  }
  return output.hand_on();
}

// The legacy frame (lz4 doc/lz4_Frame_format.md, "Legacy frame"):
//   frame = magic:u32 block*        block = packed_size:u32 lz4_block
// Each block unpacks to 8 MiB, the last to less. Concatenated frames repeat the magic. There is no
// end mark: the kernel's trailing u32 (the unpacked size) is what is left when fewer than 8 bytes
// remain.
constexpr u32 kLz4LegacyMagic = 0x184C2102;
constexpr u64 kLz4Block = 8 * kMiB;

Result<> unpack_lz4(Bytes packed, u64 limit, const UnpackedSink& sink) {
  Output output(kLz4Block, limit, sink);
  u64 offset = sizeof kLz4LegacyMagic;
  while (packed.size() - offset > sizeof(u32)) {
    const u32 size = *load<u32>(packed, offset);
    offset += sizeof size;
    if (size == kLz4LegacyMagic) continue;
    const auto data = slice(packed, offset, size);
    if (!data || size == 0 || size > static_cast<u32>(LZ4_compressBound(kLz4Block))) return damaged("lz4");
    offset += size;
    const auto room = output.room();
    const int got =
        LZ4_decompress_safe(reinterpret_cast<const char*>(data->data()), reinterpret_cast<char*>(room.data()),
                            static_cast<int>(size), static_cast<int>(room.size()));
    if (got < 0) return damaged("lz4");
    TRY(output.advance(static_cast<u64>(got)));
    TRY(output.hand_on());
  }
  return {};
}

bool starts_with(Bytes bytes, std::initializer_list<u8> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

}  // namespace

Result<> decompress(Bytes packed, u64 limit, const UnpackedSink& sink) {
  if (looks_like_elf(packed)) return packed.size() <= limit ? sink(packed) : too_big(limit);
  if (starts_with(packed, {0x1F, 0x8B})) return unpack_gzip(packed, limit, sink);
  if (starts_with(packed, {0xFD, '7', 'z', 'X', 'Z', 0})) return unpack_lzma(packed, limit, sink);
  if (starts_with(packed, {0x5D, 0, 0})) return unpack_lzma(packed, limit, sink);
  if (starts_with(packed, {0x02, 0x21, 0x4C, 0x18})) return unpack_lz4(packed, limit, sink);
  if (starts_with(packed, {0x28, 0xB5, 0x2F, 0xFD})) return unpack_zstd(packed, limit, sink);
  return Error(ErrorCode::kUnsupported,
               "its payload is packed in a way not known here (known: gzip, xz, lzma, lz4, zstd)");
}

}  // namespace pileus::machine
