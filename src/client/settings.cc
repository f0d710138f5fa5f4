#include "client/settings.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "os/file.h"

namespace pileus::client {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxFile = 64 * kKiB;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

Result<Settings> read_settings(const std::filesystem::path& file) {
  const std::string text = TRY(os::read_file(file.string(), kMaxFile));
  const Json object = Json::parse(text, nullptr, false);
  const auto field = [&](const char* name) -> Result<std::string> {
    if (!object.is_object() || !object.contains(name) || !object[name].is_string()) {
      return Error(ErrorCode::kCorrupt, file.string() + ": '" + name + "' is missing");
    }
    return object[name].get<std::string>();
  };
  Settings settings;
  settings.endpoint = TRY(field("endpoint"));
  settings.region = TRY(field("region"));
  settings.access_key = TRY(field("access_key"));
  settings.secret_key = TRY(field("secret_key"));
  settings.ca = object.contains("ca") ? TRY(field("ca")) : std::string();
  return settings;
}

Result<> write_settings(const std::filesystem::path& file, const Settings& settings) {
  Json object = {{"endpoint", settings.endpoint},
                 {"region", settings.region},
                 {"access_key", settings.access_key},
                 {"secret_key", settings.secret_key}};
  if (!settings.ca.empty()) object["ca"] = settings.ca.string();
  return os::replace_file(file.string(), object.dump(2) + "\n", 0600);
}

Result<Settings> find_settings(const std::filesystem::path& file) {
  Settings settings;
  Result<Settings> stored = read_settings(file);
  if (stored) {
    settings = std::move(stored).value();
  } else if (stored.error().code() != ErrorCode::kNotFound) {
    return std::move(stored).error();
  }
  if (std::string endpoint = variable("PILEUS_ENDPOINT"); !endpoint.empty()) settings.endpoint = std::move(endpoint);
  const std::string access_key = variable("AWS_ACCESS_KEY_ID");
  const std::string secret_key = variable("AWS_SECRET_ACCESS_KEY");
  if (!access_key.empty() && !secret_key.empty()) {
    settings.access_key = access_key;
    settings.secret_key = secret_key;
  }
  for (const char* name : {"AWS_DEFAULT_REGION", "AWS_REGION"}) {
    if (std::string region = variable(name); !region.empty()) settings.region = std::move(region);
  }
  if (settings.endpoint.empty() || settings.access_key.empty()) {
    return Error(ErrorCode::kNotFound,
                 "no cloud is known here: `pileus up` starts one on this machine; for another one set PILEUS_ENDPOINT, "
                 "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  return settings;
}

}  // namespace pileus::client
