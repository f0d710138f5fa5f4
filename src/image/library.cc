#include "image/library.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "os/child_process.h"

namespace pileus::image {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxNameLength = 63;

std::string text_field(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

std::string encode_image_info(const ImageInfo& info) {
  const Json object = {{"name", info.name},        {"description", info.description}, {"login_user", info.login_user},
                       {"created", info.created},  {"root_uuid", info.root_uuid},     {"disk_bytes", info.disk_bytes},
                       {"packages", info.packages}};
  return object.dump(2) + "\n";
}

Result<ImageInfo> parse_image_info(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) return Error(ErrorCode::kCorrupt, "not a JSON object");
  ImageInfo info;
  info.name = text_field(object, "name");
  info.description = text_field(object, "description");
  info.login_user = text_field(object, "login_user");
  info.created = text_field(object, "created");
  info.root_uuid = text_field(object, "root_uuid");
  if (info.name.empty()) return Error(ErrorCode::kCorrupt, "\"name\" is missing");
  const auto size = object.find("disk_bytes");
  if (size == object.end() || !size->is_number_unsigned()) {
    return Error(ErrorCode::kCorrupt, "\"disk_bytes\" is missing");
  }
  info.disk_bytes = size->get<u64>();
  const auto packages = object.find("packages");
  if (packages != object.end() && packages->is_array()) {
    for (const Json& package : *packages) {
      if (package.is_string()) info.packages.push_back(package.get<std::string>());
    }
  }
  return info;
}

Result<> check_name(std::string_view name) {
  const bool valid = !name.empty() && name.size() <= kMaxNameLength && is_alphanumeric(name.front()) &&
                     std::ranges::all_of(name, [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; });
  if (valid) return {};
  return Error(ErrorCode::kInvalid, "'" + std::string(name) +
                                        "' cannot be a name: use 1 to 63 lower-case letters, digits, '-' and '.', "
                                        "beginning with a letter or digit");
}

Result<Library> Library::open_default() {
  const char* chosen = ::getenv("PILEUS_HOME");
  if (chosen != nullptr && *chosen != '\0') return open(std::filesystem::absolute(chosen));
  if (::geteuid() == 0) return open(kSystemFolder);
  const char* data = ::getenv("XDG_DATA_HOME");
  if (data != nullptr && *data == '/') return open(std::filesystem::path(data) / "pileus");
  const char* home = ::getenv("HOME");
  if (home == nullptr || *home != '/') {
    return Error(ErrorCode::kInvalid, "no home folder is known: set PILEUS_HOME to a folder for images and VMs");
  }
  return open(std::filesystem::path(home) / ".local/share/pileus");
}

Result<Library> Library::open(const std::filesystem::path& root) {
  Library library(root);
  for (const std::filesystem::path& folder : {library.images(), library.vms(), library.keys()}) {
    const Result<> made = os::make_directories(folder);
    if (!made || ::access(folder.c_str(), W_OK) != 0) {
      return Error(ErrorCode::kPermission,
                   "cannot write to " + folder.string() + ": set PILEUS_HOME to a folder that you may write to");
    }
  }
  return library;
}

bool Library::is_of_services() const {
  struct stat status = {};
  return root_ == kSystemFolder && ::stat(kSystemFolder, &status) == 0 && status.st_uid != ::geteuid();
}

std::vector<ImageInfo> Library::list() const {
  std::vector<ImageInfo> result;
  std::error_code ignored;  // no folder, no images
  for (const auto& entry : std::filesystem::directory_iterator(images(), ignored)) {
    const std::string name = entry.path().filename();
    if (!check_name(name)) continue;
    Result<ImageInfo> info = find(name);
    if (info) result.push_back(std::move(info).value());
  }
  std::ranges::sort(result, {}, &ImageInfo::name);
  return result;
}

Result<ImageInfo> Library::find(const std::string& name) const {
  TRY(check_name(name));
  const std::filesystem::path file = images() / name / "image.json";
  const Result<std::string> text = os::read_file(file);
  if (!text) {
    return Error(ErrorCode::kNotFound, "there is no image '" + name + "': `pileus image ls` shows those there are");
  }
  return parse_image_info(*text).with(file.string());
}

u64 Library::allocated_bytes(const std::string& name) const {
  struct stat status = {};
  constexpr u64 kStatBlock = 512;  // stat(2): st_blocks counts these
  return ::stat(disk_of(name).c_str(), &status) == 0 ? static_cast<u64>(status.st_blocks) * kStatBlock : 0;
}

Result<> Library::remove(const std::string& name) {
  TRY(find(name));
  // Out of sight first, so that no half-removed image is ever found.
  const std::filesystem::path doomed = images() / ("." + name + ".removed." + std::to_string(::getpid()));
  TRY(os::rename(images() / name, doomed));
  TRY(os::remove_all(translations_of(name, "")));
  return os::remove_all(doomed);
}

Result<std::filesystem::path> Library::own_key() {
  const std::filesystem::path key = keys() / "id_ed25519";
  const os::FileLock lock = TRY(os::FileLock::acquire(keys() / ".lock"));
  if (std::filesystem::exists(key) && std::filesystem::exists(key.string() + ".pub")) return key;
  const os::TemporaryDirectory work = TRY(os::TemporaryDirectory::create(keys() / ".new-"));
  const std::filesystem::path made = work.path() / "key";
  const os::Output output =
      TRY(os::run_program({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "pileus", "-f", made.string()}));
  if (!output.status.success()) return Error(ErrorCode::kIo, "ssh-keygen failed: " + output.text);
  TRY(os::rename(made.string() + ".pub", key.string() + ".pub"));
  TRY(os::rename(made, key));
  return key;
}

}  // namespace pileus::image
