// Unpacking the payload of a compressed kernel, on the host, with a bound on the result.
#pragma once

#include "base/result.h"
#include "machine/loader/bytes.h"
#include "machine/loader/output_buffer.h"

namespace pileus::machine {

// Unpacks `packed`, told apart by its magic: gzip, xz, lzma (alone), lz4 (legacy frame), zstd; ELF
// passes unchanged. Bytes after the end of the compressed stream are ignored (the kernel's build
// appends the unpacked size). Errors: kCorrupt (damaged or truncated), kUnsupported (another
// method), kExhausted (more than `limit` bytes).
Result<UnpackedBytes> decompress(Bytes packed, u64 limit);

}  // namespace pileus::machine
