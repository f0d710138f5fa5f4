#include "http/static_files.h"

#include <array>

#include "http/certificates.h"
#include "os/file.h"

namespace pileus::http {
namespace {

// Nothing but what we serve is run or fetched. Styles may be made by scripts: the terminal does.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string type_of(const std::filesystem::path& file) {
  constexpr std::array<std::pair<std::string_view, const char*>, 7> kTypes = {
      {{".html", "text/html; charset=utf-8"},
       {".js", "text/javascript; charset=utf-8"},
       {".css", "text/css; charset=utf-8"},
       {".svg", "image/svg+xml"},
       {".json", "application/json"},
       {".woff2", "font/woff2"},
       {".txt", "text/plain; charset=utf-8"}}};
  for (const auto& [extension, type] : kTypes) {
    if (file.extension() == extension) return type;
  }
  return "application/octet-stream";
}

}  // namespace

Result<StaticFiles> StaticFiles::load(const std::filesystem::path& folder) {
  StaticFiles result;
  std::error_code error;
  std::size_t total = 0;
  for (auto at = std::filesystem::recursive_directory_iterator(folder, error);
       !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    File file;
    file.content = TRY(os::read_file(at->path()));
    total += file.content.size();
    if (total > kMostBytes) return Error(ErrorCode::kExhausted, folder.string() + " has more than 32 MiB of files");
    file.type = type_of(at->path());
    file.tag = "\"" + sha256_hex(file.content).substr(0, 32) + "\"";
    result.files_[at->path().lexically_relative(folder).generic_string()] = std::move(file);
  }
  if (!result.files_.contains("index.html")) return Error(ErrorCode::kNotFound, "no index.html in " + folder.string());
  return result;
}

Response StaticFiles::answer(const Request& request, const std::string& path) const {
  const auto found = files_.find(path.empty() ? "index.html" : path);
  if (found == files_.end()) return text_response(404, "there is no such page");
  const File& file = found->second;
  const bool forever = found->first.starts_with("assets/");
  Response response;
  response.headers = {{"Content-Type", file.type},
                      {"ETag", file.tag},
                      {"Cache-Control", forever ? "public, max-age=31536000, immutable" : "no-cache"},
                      {"Content-Security-Policy", kPolicy},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cross-Origin-Opener-Policy", "same-origin"}};
  if (request.headers.get("if-none-match") == file.tag) {
    response.status = 304;
  } else {
    response.body = file.content;
  }
  return response;
}

}  // namespace pileus::http
