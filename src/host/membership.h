// Being a host of a cloud: its address, our id, our certificate. Files in one folder, mode 0700:
//
//   host.json         {"url", "id", "name"}: written last, so it is there when all is
//   ca.pem            the cloud's authority
//   host.pem, host.key  our certificate and its key, which was made here and never leaves
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "http/client.h"
#include "model/id.h"

namespace pileus::host {

struct Membership {
  std::string url;  // https://HOST:PORT
  model::HostId id;
  std::filesystem::path folder;

  http::ClientOptions client_options() const;
};

struct JoinWish {
  std::string url;
  std::string token;
  std::string name;
  std::string zone;
  std::string rack;
};

// kNotFound: this folder is no host's yet.
Result<Membership> read_membership(const std::filesystem::path& folder);
// Joins, and writes the files. kPermission for a token that is not good or an answer from another cloud.
Result<Membership> join(const std::filesystem::path& folder, const JoinWish& wish);

}  // namespace pileus::host
