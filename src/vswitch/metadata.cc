#include "vswitch/metadata.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "http/base64.h"

namespace pileus::vswitch {
namespace {

constexpr std::string_view kTokenPath = "/latest/api/token";
constexpr int kLongestToken_s = 21'600;
constexpr std::size_t kTokenBytes = 42;  // 56 characters, as EC2's
// Those that clients ask for by name; all have the same tree here.
constexpr std::array<std::string_view, 6> kVersions = {"1.0",        "2009-04-04", "2016-09-02",
                                                       "2018-09-24", "2021-03-23", "latest"};

http::Response page(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain");
  response.headers.add("Server", "EC2ws");
  response.body = std::move(body);
  return response;
}

http::Response missing() { return page(404, "404 - Not Found\n"); }

std::optional<int> lifetime_of(const http::Request& request) {
  const std::string_view text = request.headers.get("X-aws-ec2-metadata-token-ttl-seconds");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  const bool good = error == std::errc() && end == text.data() + text.size() && seconds >= 1;
  return good && seconds <= kLongestToken_s ? std::optional(seconds) : std::nullopt;
}

// What is directly below a folder, folders with their '/'.
std::string listing(const std::map<std::string, std::string>& entries, const std::string& folder) {
  std::set<std::string> names;
  for (const auto& [path, text] : entries) {
    if (!path.starts_with(folder) || path.size() == folder.size()) continue;
    const std::size_t slash = path.find('/', folder.size());
    names.insert(path.substr(folder.size(), slash == std::string::npos ? slash : slash + 1 - folder.size()));
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : "\n") + name;
  return text;
}

}  // namespace

http::Response MetadataTree::answer(const http::Request& request, Clock::time_point now) {
  if (!metadata_.enabled) return page(403, "The metadata service is switched off for this instance\n");
  if (request.path == kTokenPath) return make_token(request, now);
  if (request.method != "GET" && request.method != "HEAD") return page(405, "");
  const std::string* token = request.headers.find("X-aws-ec2-metadata-token");
  if (token == nullptr ? metadata_.token_required : !is_valid(*token, now)) return page(401, "");
  return read(request.path);
}

http::Response MetadataTree::make_token(const http::Request& request, Clock::time_point now) {
  if (request.method != "PUT") return page(405, "");
  // Whoever comes through a proxy may not even know that there is one.
  if (request.headers.find("X-Forwarded-For") != nullptr) return page(403, "");
  const std::optional<int> lifetime = lifetime_of(request);
  if (!lifetime) return page(400, "X-aws-ec2-metadata-token-ttl-seconds has to be 1 to 21600\n");
  std::string bytes(kTokenBytes, '\0');
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return page(503, "");
  std::erase_if(tokens_, [&](const auto& each) { return each.second <= now; });
  if (tokens_.size() >= kMostTokens) {
    tokens_.erase(std::ranges::min_element(tokens_, {}, [](const auto& each) { return each.second; }));
  }
  const std::string token = http::encode_base64(bytes);
  tokens_[token] = now + std::chrono::seconds(*lifetime);
  http::Response response = page(200, token);
  response.headers.add("X-aws-ec2-metadata-token-ttl-seconds", std::to_string(*lifetime));
  return response;
}

bool MetadataTree::is_valid(std::string_view token, Clock::time_point now) const {
  const auto found = tokens_.find(token);
  return found != tokens_.end() && found->second > now;
}

http::Response MetadataTree::read(std::string path) const {
  path.erase(0, path.find_first_not_of('/'));
  const std::size_t slash = path.find('/');
  const std::string version = path.substr(0, slash);
  if (version.empty()) {
    std::string versions;
    for (const std::string_view each : kVersions) versions += (versions.empty() ? "" : "\n") + std::string(each);
    return page(200, versions);
  }
  if (std::ranges::find(kVersions, version) == kVersions.end()) return missing();
  const std::string below = slash == std::string::npos ? std::string() : path.substr(slash + 1);
  const auto& entries = metadata_.entries;
  if (const auto entry = entries.find(below); entry != entries.end()) return page(200, entry->second);
  if (below == "user-data") return metadata_.user_data.empty() ? missing() : page(200, metadata_.user_data);
  std::string folder = below;
  if (!folder.empty() && !folder.ends_with('/')) folder += '/';
  // A folder may have a listing of its own: keys are listed as "0=name".
  if (const auto entry = entries.find(folder); entry != entries.end()) return page(200, entry->second);
  std::string text = listing(entries, folder);
  if (text.empty()) return missing();
  if (folder.empty() && !metadata_.user_data.empty()) text += "\nuser-data";
  return page(200, text);
}

}  // namespace pileus::vswitch
