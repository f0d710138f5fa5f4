// FileWriter: makes a new translation file beside the old one and then puts it in its place.
//
// Whoever is killed at any instant leaves the old file or the new one. Nothing is synced: after a loss of power the file
// may be damaged, which its reader finds out.
#pragma once

#include <filesystem>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/bt/stored/file.h"
#include "os/fd.h"

namespace pileus::engine::bt::stored {

class FileWriter {
 public:
  // For at most `max_entries`. The caller is the only one who writes there.
  static Result<FileWriter> create(const std::filesystem::path& path, u64 max_entries);
  FileWriter(FileWriter&&) = default;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();

  // Appends an entry, unless the same is there already or the file would get larger than `limit`.
  Result<> add(std::span<const u8> entry, u64 limit);
  Result<> finish(const Fingerprint& fingerprint);

 private:
  FileWriter(std::filesystem::path path, std::string temporary, os::Fd fd, u64 slots);
  Result<> flush();

  std::filesystem::path path_;
  std::string temporary_;  // empty when it has got its name
  os::Fd fd_;
  std::vector<u64> slots_;
  std::unordered_set<u64> known_;
  std::string buffer_;
  u64 end_;  // of the file, with what is in the buffer
};

}  // namespace pileus::engine::bt::stored
