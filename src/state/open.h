// Opens the store that a --state argument names.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "state/store.h"

namespace pileus::state {

// Files in PEM. Those left empty are not used.
struct StoreTls {
  std::filesystem::path ca;           // whom to trust; empty: the system's
  std::filesystem::path certificate;  // our own, and its key
  std::filesystem::path key;
};

// `where` is one of
//   sqlite:FOLDER                       files in FOLDER, made if missing
//   etcd://HOST:PORT[,HOST:PORT]...     the members of an etcd cluster, over HTTP
//   etcds://HOST:PORT[,HOST:PORT]...    the same over TLS
// kInvalid for anything else; kBusy when another process has the folder.
Result<std::unique_ptr<Store>> open_store(const std::string& where, const StoreTls& tls = {});

}  // namespace pileus::state
