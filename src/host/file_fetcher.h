// Where the file of a disk that is imported is: on this host, or fetched to it.
#pragma once

#include <functional>

#include "host/disk_places.h"
#include "http/client.h"
#include "model/transfer.h"

namespace pileus::host {

// Told what is being done and which part of it, from 0 to 1; false: give up, kGone.
using TransferProgress = std::function<bool(const char* what, double part)>;

class FileFetcher {
 public:
  explicit FileFetcher(const DiskPlaces& places) : places_(places) {}  // which outlive it

  // The file: one that is here stays where it is, else it is loaded into `folder`.
  Result<std::filesystem::path> fetch(const model::TransferDesired& task, const model::FilePlace& from,
                                      const std::filesystem::path& folder, const TransferProgress& progress) const;

 private:
  const DiskPlaces& places_;
};

// Room that is left on the file system for the host itself; kExhausted when there is less.
Result<> check_room(const std::filesystem::path& folder, u64 needed);

}  // namespace pileus::host
