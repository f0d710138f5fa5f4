// One disk on its way into the cloud or out of it: a foreign file becomes the raw file of a layer, layers become a foreign
// file. Blocking; for TransferWorker's thread.
#pragma once

#include "host/file_fetcher.h"
#include "store/chain.h"

namespace pileus::host {

// The raw file that a disk of an import becomes, "2-4096.raw": its number, and the bytes of the file that it came as. There
// only when it is whole.
struct StagedDisk {
  std::filesystem::path path;
  u64 file_bytes = 0;
};
std::optional<StagedDisk> find_staged(const std::filesystem::path& folder, std::size_t number);

// Makes it in `folder`.
Result<> import_disk(const FileFetcher& fetcher, const model::TransferDesired& task, std::size_t number,
                     const std::filesystem::path& folder, const TransferProgress& progress);

// Writes the disk that these layers are, as `path`; there only when it is whole.
Result<> export_disk(const std::vector<store::Layer>& layers, const std::string& format,
                     const std::filesystem::path& path, const TransferProgress& progress);

}  // namespace pileus::host
