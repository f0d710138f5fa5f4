// Unpacking the payload of a compressed kernel, on the host, with a bound on the result.
#pragma once

#include <functional>

#include "base/result.h"
#include "machine/loader/bytes.h"

namespace pileus::machine {

// Takes the next bytes of what is unpacked, which are gone when it returns. The first time it gets 1 MiB, or all if that is
// less, or a whole block of lz4.
using UnpackedSink = std::function<Result<>(Bytes)>;

// Unpacks `packed`, told apart by its magic: gzip, xz, lzma (alone), lz4 (legacy frame), zstd; ELF
// passes unchanged. Bytes after the end of the compressed stream are ignored (the kernel's build
// appends the unpacked size). Errors: kCorrupt (damaged or truncated), kUnsupported (another
// method), kExhausted (more than `limit` bytes), and those of `sink`.
Result<> decompress(Bytes packed, u64 limit, const UnpackedSink& sink);

}  // namespace pileus::machine
