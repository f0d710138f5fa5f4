// Where a person's cloud is and who they are there.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pileus::client {

struct Settings {
  std::string endpoint;  // "http://127.0.0.1:8773"
  std::string region = "pileus-1";
  std::string access_key;
  std::string secret_key;
  std::filesystem::path ca;  // whom to trust at https://; empty: the system's
  bool operator==(const Settings&) const = default;
};

// A file of them (docs/formats/client-settings.md). kNotFound when there is none, kCorrupt, kPermission.
Result<Settings> read_settings(const std::filesystem::path& file);
// Mode 0600, complete or not at all.
Result<> write_settings(const std::filesystem::path& file, const Settings& settings);

// What the environment says wins over the file: AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION or
// AWS_REGION, and PILEUS_ENDPOINT. kNotFound, with the way out, when neither names a cloud.
Result<Settings> find_settings(const std::filesystem::path& file);

}  // namespace pileus::client
