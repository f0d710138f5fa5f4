// The NoCloud seed: a small read-only disk labelled CIDATA from which cloud-init in the guest takes
// host name, user, SSH keys and user data (cloud-init documentation, "NoCloud").
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pileus::image {

struct SeedContent {
  std::string instance_id;  // cloud-init runs its once-per-instance steps when this changes
  std::string host_name;
  std::vector<std::string> ssh_keys;  // public keys, one line each
  std::string user_data;  // as given by the user: a script, #cloud-config, MIME; may be empty
};

// The text of the seed's meta-data file.
std::string encode_meta_data(const SeedContent& content);
// The text of its user-data file: the user's own, or an empty #cloud-config.
std::string encode_user_data(const SeedContent& content);

// One usable line from a public key file: the first that is not empty or a comment. kInvalid when
// it is a private key or no key at all.
Result<std::string> parse_public_key(std::string_view text);

// Writes the seed as an ISO 9660 image.
Result<> write_seed(const SeedContent& content, const std::filesystem::path& file);

}  // namespace pileus::image
