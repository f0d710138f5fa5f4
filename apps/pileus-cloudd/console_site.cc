#include "console_site.h"

#include <filesystem>

namespace pileus::cloudd {
namespace {

namespace fs = std::filesystem;
constexpr const char* kInstalled = "/usr/share/pileus/console";

}  // namespace

Result<ConsoleSite> ConsoleSite::open(const std::string& folder) {
  ConsoleSite site;
  if (!folder.empty()) {
    site.files_ = TRY(http::StaticFiles::load(folder).with("--console"));
    return site;
  }
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  for (const fs::path& each : {program.parent_path().parent_path() / "console", fs::path(kInstalled)}) {
    Result<http::StaticFiles> files = http::StaticFiles::load(each);
    if (!files && files.error().code() == ErrorCode::kNotFound) continue;
    if (!files) return files.error();
    site.files_ = std::move(files).value();
    break;
  }
  return site;
}

bool ConsoleSite::is_for(const http::Request& request) {
  if (request.method != "GET") return false;
  if (request.path == "/") return request.query.empty() && request.headers.get("authorization").empty();
  return request.path.starts_with(kConsolePath) || request.path + "/" == kConsolePath;
}

http::Response ConsoleSite::answer(const http::Request& request) const {
  if (!files_) {
    return http::text_response(404,
                               "This is the API of a Pileus cloud. Its web console was not built: install npm and "
                               "build again (docs/console.md).");
  }
  if (!request.path.starts_with(kConsolePath)) {
    http::Response response = http::text_response(302, "the console is at /console/");
    response.headers.add("Location", std::string(kConsolePath));
    return response;
  }
  return files_->answer(request, request.path.substr(kConsolePath.size()));
}

}  // namespace pileus::cloudd
