// Where files of disks are. EC2 has them in buckets of S3; here a bucket is a folder of the account's on a host, and a URL
// may lead anywhere that a host reaches.
#include <algorithm>

#include "ec2/transfers/objects.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kFile = "file://";
constexpr std::size_t kLongestUrl = 2048;
constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestBucket = 63;
constexpr std::size_t kLongestKey = 1024;  // as in S3

struct KnownHost {
  model::HostId id;
  std::string name;
};

Reply<std::vector<KnownHost>> hosts_of(const Call& call) {
  std::vector<KnownHost> hosts;
  TRY(call.catalogue.read([&](const control::View& view) {
    for (const auto& [id, host] : view.hosts()) {
      const bool there = host.desired.exists() && host.desired.value.mode != model::HostMode::kRetired;
      if (there) hosts.push_back({id, host.desired.value.name});
    }
  }));
  return hosts;
}

// By its name or id. Without one, the only host that there is; `form` says how it is named.
Reply<model::HostId> find_host(const Call& call, const std::string& name, const std::string& form) {
  const std::vector<KnownHost> hosts = TRY(hosts_of(call));
  if (name.empty() && hosts.size() > 1) {
    return ApiError("InvalidParameterValue", "The cloud has several hosts: say which one has the file, as " + form);
  }
  if (name.empty()) return hosts.empty() ? model::HostId() : hosts.front().id;
  const auto is_it = [&](const KnownHost& host) { return host.name == name || host.id.text() == name; };
  const auto found = std::ranges::find_if(hosts, is_it);
  if (found != hosts.end()) return found->id;
  return ApiError("InvalidParameterValue", "There is no host '" + name.substr(0, 60) + "'");
}

Reply<NamedFile> read_url(const Call& call, const std::string& url) {
  if (url.size() > kLongestUrl) return ApiError("InvalidParameterValue", "The URL is too long");
  if (url.starts_with("http://") || url.starts_with("https://")) return NamedFile{{url, "", ""}, {}};
  if (!url.starts_with(kFile)) {
    return ApiError("InvalidParameterValue", "A disk's URL begins with http://, https:// or file://");
  }
  if (!call.account.administrator) {
    return ApiError("UnauthorizedOperation",
                    "Only administrators import files of a host: give it by http:// or https://", 403);
  }
  const std::size_t slash = url.find('/', kFile.size());
  if (slash == std::string::npos) return ApiError("InvalidParameterValue", "The URL names no file");
  const std::string name = url.substr(kFile.size(), slash - kFile.size());
  const model::HostId host = TRY(find_host(call, name, "file://HOST/PATH"));
  return NamedFile{{url, "", ""}, host};
}

// Neither empty nor a way out of the bucket: each part between slashes is a plain name.
bool is_key(const std::string& key) {
  if (key.size() > kLongestKey) return false;
  for (std::size_t at = 0; at <= key.size();) {
    const std::size_t end = std::min(key.find('/', at), key.size());
    const std::string part = key.substr(at, end - at);
    if (part.empty() || part == "." || part == ".." || part.size() > kLongestName) return false;
    if (std::ranges::any_of(part, [](char c) { return static_cast<unsigned char>(c) < ' '; })) return false;
    at = end + 1;
  }
  return true;
}

}  // namespace

Reply<> check_bucket(const std::string& name) {
  const auto is_fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  if (!name.empty() && name.size() <= kLongestBucket && name.front() != '.' && std::ranges::all_of(name, is_fine)) {
    return {};
  }
  return ApiError("InvalidParameterValue",
                  "A bucket's name has up to 63 small letters, digits, dashes and dots, with HOST: before it where "
                  "there are several hosts");
}

Reply<> check_key(const std::string& key) {
  if (is_key(key)) return {};
  return ApiError("InvalidParameterValue", "S3Key is the path of a file in the bucket: 'disks/one.vmdk'");
}

Reply<model::HostId> host_of_bucket(const Call& call, std::string& bucket) {
  std::string host;
  if (const std::size_t colon = bucket.find(':'); colon != std::string::npos) {
    host = bucket.substr(0, colon);
    bucket.erase(0, colon + 1);
  }
  TRY(check_bucket(bucket));
  return find_host(call, host, "HOST:BUCKET");
}

Reply<NamedFile> read_source(const Call& call, const Parameters& container) {
  NamedFile file;
  file.place.bucket = container.get("UserBucket.S3Bucket");
  file.place.key = container.get("UserBucket.S3Key");
  const std::string& url = container.get("Url");
  if (!url.empty() && !file.place.bucket.empty()) {
    return ApiError("InvalidParameterCombination", "A disk is at a URL or in a bucket, not both");
  }
  if (!url.empty()) return read_url(call, url);
  if (file.place.bucket.empty()) {
    return ApiError("MissingParameter", "The request must say where the disk is: Url, or UserBucket");
  }
  file.host = TRY(host_of_bucket(call, file.place.bucket));
  TRY(check_key(file.place.key));
  return file;
}

}  // namespace pileus::ec2
