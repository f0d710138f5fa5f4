// A disk as a raw file, with holes for its zeroes.
#pragma once

#include <filesystem>

#include "foreign/converter.h"
#include "virtio/block_backend.h"

namespace pileus::host {

// Makes the file, durable and whole; it must not exist. When it fails it leaves nothing.
Result<> write_raw(virtio::BlockBackend& disk, const std::filesystem::path& to, const foreign::Progress& progress);

}  // namespace pileus::host
