// Where the file of a disk that is imported is: on this host, or fetched to it.
#pragma once

#include <chrono>
#include <functional>

#include "host/disk_places.h"
#include "http/client.h"
#include "model/transfer.h"

namespace pileus::host {

// Told what is being done and which part of it, from 0 to 1; false: give up, kGone.
using TransferProgress = std::function<bool(const char* what, double part)>;

// A server that sends less than so many bytes in any stretch of that time is waited for no longer: a transfer that goes on
// for ever holds up others.
struct SlowestServer {
  u64 bytes = 2 * kMiB;
  std::chrono::milliseconds time = std::chrono::minutes(1);
};

class FileFetcher {
 public:
  explicit FileFetcher(const DiskPlaces& places, SlowestServer slowest = {})  // `places` outlive it
      : places_(places), slowest_(slowest) {}

  // The file: one that is here stays where it is, else it is loaded into `folder`.
  Result<std::filesystem::path> fetch(const model::TransferDesired& task, const model::FilePlace& from,
                                      const std::filesystem::path& folder, const TransferProgress& progress) const;

 private:
  Result<> receive(http::ClientStream& stream, const std::string& url, const std::filesystem::path& to,
                   const TransferProgress& progress) const;

  const DiskPlaces& places_;
  const SlowestServer slowest_;
};

}  // namespace pileus::host
