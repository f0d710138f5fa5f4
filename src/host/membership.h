// Being a host of a cloud: its address, our id, our certificate. Files in one folder, mode 0700:
//
//   host.json         {"url", "id", "name"}: written last, so it is there when all is; url: all, with commas between them
//   ca.pem            the cloud's authority
//   host.pem, host.key  our certificate and its key, which was made here and never leaves
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/client.h"
#include "model/id.h"

namespace pileus::host {

struct Membership {
  std::vector<std::string> urls;  // of the cloud's managers, https://HOST:PORT; at least one
  model::HostId id;
  std::filesystem::path folder;

  http::ClientOptions client_options() const;
};

struct JoinWish {
  std::vector<std::string> urls;
  std::string token;
  std::string name;
  std::string zone;
  std::string rack;
};

// "https://a:1,https://b:1" in its parts.
std::vector<std::string> split_urls(std::string_view text);

// kNotFound: this folder is no host's yet.
Result<Membership> read_membership(const std::filesystem::path& folder);
// Joins through the first of the managers that answers, and writes the files. kPermission for a token that is not good or an answer from another cloud.
Result<Membership> join(const std::filesystem::path& folder, const JoinWish& wish);

}  // namespace pileus::host
