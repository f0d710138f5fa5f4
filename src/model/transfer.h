// Transfers: disks that come into the cloud as files, and go out of it. A host carries each out.
//
// What an import makes is there only when it is completed: its snapshots and its image are written in the transaction that
// ends it. One that fails leaves nothing but its own record, which says why.
#pragma once

#include "model/volume.h"

namespace pileus::model {

enum class TransferKind : u8 { kImportImage, kImportSnapshot, kExportImage };
template <>
struct Names<TransferKind> {
  static constexpr std::array<std::string_view, 3> kAll = {"import-image", "import-snapshot", "export-image"};
};

// Where a disk's file is.
struct FilePlace {
  std::string url;  // http, https; "file:///path" is a file of the host. Empty: the next two say
  std::string bucket;  // a folder of the host, the account's own
  std::string key;  // a file's path in it
  bool operator==(const FilePlace&) const = default;
};

// A disk of what is imported.
struct TransferDisk {
  std::string device;
  std::string description;
  std::string format;  // as it was asked for; empty: it is looked at
  FilePlace from;  // nothing: the snapshot is there already
  SnapshotId snapshot;  // it becomes
  bool is_file() const { return !from.url.empty() || !from.bucket.empty(); }
  bool operator==(const TransferDisk&) const = default;
};

struct TransferDesired {
  TransferId id;
  AccountId account;
  TransferKind kind = TransferKind::kImportImage;
  std::string description;
  HostId host;  // the only one that can do it; none: any
  bool trusted = false;  // of an administrator: addresses of the host itself may be asked too
  std::vector<TransferDisk> disks;  // of an import: the root's first
  ImageId image;  // that it becomes, or that is exported
  std::string image_name;  // of that image; an exported one's only if it is the library's
  Layers layers;  // of the disk that is exported; none: the library's image has it
  u64 size_gib = 0;  // of that disk
  std::string format;  // it is exported as
  FilePlace to;  // it is exported to
  bool wanted = true;  // false: cancelled
  Millis created_at = 0;
  Tags tags;
  Tags snapshot_tags;
  bool operator==(const TransferDesired&) const = default;
};

// Written by the controller of transfers.
struct TransferPlaced {
  TransferId id;
  HostId host;
  Millis placed_at = 0;
  bool operator==(const TransferPlaced&) const = default;
};

struct ImportedDisk {
  std::string layer;
  u64 bytes = 0;  // of the disk
  u64 file_bytes = 0;  // of the file that it came as
  bool operator==(const ImportedDisk&) const = default;
};

// Written by the API once, then by its host and the controller.
struct TransferObserved {
  TransferId id;
  TransferState state = TransferState::kActive;
  u32 progress_percent = 0;
  std::string message;  // what is being done, or why it failed: a sentence
  std::vector<ImportedDisk> disks;  // those of its files that are done, in their order
  Millis changed_at = 0;
  bool operator==(const TransferObserved&) const = default;
};

}  // namespace pileus::model
