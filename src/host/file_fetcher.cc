#include "host/file_fetcher.h"

#include <fcntl.h>

#include "host/capacity.h"
#include "http/uri.h"
#include "os/file.h"

namespace pileus::host {
namespace {

constexpr std::string_view kFileUrl = "file://";
constexpr u64 kBetweenLooks = 64 * kMiB;
constexpr long kMaxRedirects = 5;
constexpr std::chrono::milliseconds kLook{500};

// "file://HOST/PATH": which host, the cloud manager has seen to.
Result<std::filesystem::path> path_of(const std::string& url) {
  const std::size_t slash = url.find('/', kFileUrl.size());
  const std::optional<std::string> path =
      slash == std::string::npos ? std::nullopt : http::decode_uri(std::string_view(url).substr(slash));
  if (!path || path->find('\0') != std::string::npos) return Error(ErrorCode::kInvalid, url + ": names no file");
  return std::filesystem::path(*path);
}

Result<std::unique_ptr<http::Client>> make_client(bool trusted) {
  http::ClientOptions options;
  options.connect_timeout = std::chrono::seconds(10);
  options.max_redirects = kMaxRedirects;
  options.no_own_addresses = !trusted;
  return http::Client::create(options);
}

}  // namespace

Result<> FileFetcher::receive(http::ClientStream& stream, const std::string& url, const std::filesystem::path& to,
                              const TransferProgress& progress) const {
  const os::Fd fd = TRY(os::open_file(to, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  auto stretch = std::chrono::steady_clock::now();  // when it began,
  u64 of_stretch = 0;                               // and what had come by then
  u64 bytes = 0;
  u64 looked_at = 0;
  while (const std::optional<std::string> part = TRY(stream.read(kLook))) {
    if (stream.status() != 0 && stream.status() != 200) break;
    TRY(os::write_all(fd.get(), *part));
    bytes += part->size();
    if (const auto now = std::chrono::steady_clock::now(); now - stretch >= slowest_.time) {
      if (bytes - of_stretch < slowest_.bytes) return Error(ErrorCode::kTimeout, url + ": the server is too slow");
      stretch = now;
      of_stretch = bytes;
    }
    const std::optional<u64> length = stream.length();
    if (bytes == part->size() && length) TRY(check_room(to.parent_path(), *length));
    if (bytes - looked_at >= kBetweenLooks) {
      TRY(check_room(to.parent_path(), 0));
      looked_at = bytes;
    }
    const double done = length && *length != 0 ? static_cast<double>(bytes) / static_cast<double>(*length) : 0;
    if (!progress("downloading", std::min(done, 1.0))) return Error(ErrorCode::kGone, "given up");
  }
  if (stream.status() == 200) return {};
  return Error(ErrorCode::kNotFound, url + ": the server answered " + std::to_string(stream.status()));
}

Result<std::filesystem::path> FileFetcher::fetch(const model::TransferDesired& task, const model::FilePlace& from,
                                                 const std::filesystem::path& folder,
                                                 const TransferProgress& progress) const {
  if (from.url.empty()) {
    std::filesystem::path file = TRY(places_.bucket_file(task.account, from.bucket, from.key));
    if (std::filesystem::exists(file)) return file;
    return Error(ErrorCode::kNotFound, from.bucket + "/" + from.key + ": this host's bucket has no such file");
  }
  if (from.url.starts_with(kFileUrl)) {
    if (task.trusted) return path_of(from.url);
    return Error(ErrorCode::kPermission, "only administrators import files of a host");
  }
  const std::unique_ptr<http::Client> client = TRY(make_client(task.trusted));
  http::ClientRequest request;
  request.url = from.url;
  const std::unique_ptr<http::ClientStream> stream = TRY(client->open(request));
  std::filesystem::path path = folder / "download";
  TRY(receive(*stream, from.url, path, progress));
  return path;
}

}  // namespace pileus::host
