// StaticFiles: a folder of files for browsers, as it was when it was read. All of it is in memory, so a path names a file
// of the folder or nothing. Any thread.
//
// Files below assets/ have a digest of their content in their names, so browsers keep them for good; of others they ask
// each time whether they are new.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/ints.h"
#include "base/result.h"
#include "http/message.h"

namespace pileus::http {

class StaticFiles {
 public:
  static constexpr std::size_t kMostBytes = 32 * kMiB;

  // kNotFound when there is no index.html; kExhausted when it has more than kMostBytes.
  static Result<StaticFiles> load(const std::filesystem::path& folder);

  // `path` is relative to the folder, without a '/' before it; empty: index.html. 404 for what is not there, 304 for what
  // the browser has.
  Response answer(const Request& request, const std::string& path) const;

 private:
  struct File {
    std::string content;
    std::string type;
    std::string tag;  // ETag, quoted
  };
  std::map<std::string, File> files_;
};

}  // namespace pileus::http
