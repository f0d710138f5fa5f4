#include "foreign/internal/inflate.h"

#include <zlib.h>
#include <zstd.h>

#include <memory>

namespace pileus::foreign {
namespace {

Error damaged() { return {ErrorCode::kCorrupt, "a packed part of the disk is damaged"}; }

Result<> inflate_all(int window, std::span<const u8> packed, std::span<u8> out) {
  z_stream stream = {};
  if (::inflateInit2(&stream, window) != Z_OK) return Error(ErrorCode::kExhausted, "no memory to unpack a disk");
  stream.next_in = const_cast<u8*>(packed.data());  // zlib only reads it
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = ::inflate(&stream, Z_FINISH);
  const bool full = stream.avail_out == 0;
  ::inflateEnd(&stream);
  // Z_BUF_ERROR: there would be more.
  if ((code != Z_STREAM_END && code != Z_BUF_ERROR) || !full) return damaged();
  return {};
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
};

Result<> unpack_zstd(std::span<const u8> packed, std::span<u8> out) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(::ZSTD_createDCtx());
  if (!context) return Error(ErrorCode::kExhausted, "no memory to unpack a disk");
  ZSTD_inBuffer in = {packed.data(), packed.size(), 0};
  ZSTD_outBuffer to = {out.data(), out.size(), 0};
  while (to.pos < to.size) {
    const std::size_t before = in.pos + to.pos;
    if (::ZSTD_isError(::ZSTD_decompressStream(context.get(), &to, &in)) != 0) return damaged();
    if (in.pos + to.pos == before) return damaged();
  }
  return {};
}

}  // namespace

Result<> unpack(Packing packing, std::span<const u8> packed, std::span<u8> out) {
  switch (packing) {
    case Packing::kDeflate: return inflate_all(-MAX_WBITS, packed, out);
    case Packing::kZlib: return inflate_all(MAX_WBITS, packed, out);
    case Packing::kZstd: return unpack_zstd(packed, out);
  }
  return damaged();
}

}  // namespace pileus::foreign
