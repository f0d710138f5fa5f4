#include "image/seed.h"

#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "os/child_process.h"
#include "os/file.h"

namespace pileus::image {

// JSON is YAML: no quoting rule of YAML's can be got wrong. cloud-init gives meta-data's
// public-keys to the image's default user, so the user data stays the user's own.
std::string encode_meta_data(const SeedContent& content) {
  const nlohmann::json object = {
      {"instance-id", content.instance_id}, {"local-hostname", content.host_name}, {"public-keys", content.ssh_keys}};
  return object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string encode_user_data(const SeedContent& content) {
  return content.user_data.empty() ? "#cloud-config\n{}\n" : content.user_data;
}

Result<std::string> parse_public_key(std::string_view text) {
  constexpr std::array kTypes = {"ssh-ed25519", "ssh-rsa", "ecdsa-sha2-", "sk-ssh-ed25519@", "sk-ecdsa-sha2-"};
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.starts_with('#')) continue;
    if (line.find("PRIVATE KEY") != std::string::npos) {
      return Error(ErrorCode::kInvalid, "it is a private key: name the public key (the .pub file beside it)");
    }
    for (const char* type : kTypes) {
      if (line.starts_with(type) && line.find(' ') != std::string::npos) return line;
    }
    break;
  }
  return Error(ErrorCode::kInvalid, "it is not an SSH public key: make a pair with `ssh-keygen -t ed25519`");
}

Result<> write_seed(const SeedContent& content, const std::filesystem::path& file) {
  const os::TemporaryDirectory work = TRY(os::TemporaryDirectory::create(file.string() + ".work-"));
  TRY(os::replace_file(work.path() / "meta-data", encode_meta_data(content)));
  TRY(os::replace_file(work.path() / "user-data", encode_user_data(content)));
  const std::string image = work.path().string() + ".iso";
  const os::Output output = TRY(os::run_program({"xorrisofs", "-quiet", "-output", image, "-volid", "CIDATA", "-joliet",
                                                 "-rational-rock", work.path().string()}));
  if (!output.status.success()) {
    TRY(os::remove_all(image));
    return Error(ErrorCode::kIo, "xorrisofs failed: " + output.text);
  }
  return os::rename(image, file);
}

}  // namespace pileus::image
