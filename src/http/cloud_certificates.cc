#include "http/cloud_certificates.h"

#include <algorithm>

#include "base/log.h"
#include "os/file.h"

namespace pileus::http {
namespace {

constexpr std::chrono::hours kRenewBefore{24 * 30};
constexpr std::chrono::hours kLifetime{24 * 365};
constexpr std::string_view kTokenPrefix = "pileus1";
constexpr std::size_t kSecretBytes = 16;
constexpr std::size_t kFingerprintDigits = 64;
constexpr unsigned kPrivate = 0600;

Result<Identity> read_identity(const std::filesystem::path& folder, const std::string& name) {
  Identity identity;
  identity.certificate = TRY(os::read_file(folder / (name + ".pem"), kMiB));
  identity.key = TRY(os::read_file(folder / (name + ".key"), kMiB));
  return identity;
}

// The key first: a certificate that is there has its key.
Result<> write_identity(const std::filesystem::path& folder, const std::string& name, const Identity& identity) {
  TRY(os::replace_file(folder / (name + ".key"), identity.key, kPrivate));
  return os::replace_file(folder / (name + ".pem"), identity.certificate);
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

Result<Identity> open_authority(const std::filesystem::path& folder) {
  if (is_there(folder / "ca.pem")) return read_identity(folder, "ca");
  // Killed at the first start there may be a key, but no certificate of anybody yet.
  if (is_there(folder / "server.pem")) {
    return Error(ErrorCode::kNotFound,
                 "ca.pem is lost; restore it from a backup, or remove the folder and let all hosts join anew");
  }
  // In the name, so that two clouds' authorities can be told apart by people.
  const std::string number = TRY(random_hex(4));
  Identity made = TRY(make_authority("Pileus cloud " + number));
  TRY(write_identity(folder, "ca", made));
  log::info("made the certificate authority of this cloud in {}", folder.string());
  return made;
}

std::string lines(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

Result<Identity> open_server(const std::filesystem::path& folder, const Identity& authority,
                             const std::vector<std::string>& names) {
  const auto names_there = os::read_file(folder / "server.names");
  auto there = read_identity(folder, "server");
  if (there.ok() && names_there.ok() && *names_there == lines(names)) {
    const auto info = inspect_certificate(there->certificate);
    if (info.ok() && info->not_after - std::chrono::system_clock::now() > kRenewBefore) return there;
  }
  // A half-written pair must not be taken for whole the next time.
  TRY(os::remove_all(folder / "server.names"));
  Identity made = TRY(make_identity(authority, Grant{"pileus-cloudd", "pileus", names, false, kLifetime}));
  TRY(write_identity(folder, "server", made));
  TRY(os::replace_file(folder / "server.names", lines(names)));
  return made;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Result<CloudCertificates> CloudCertificates::open(const std::filesystem::path& folder,
                                                  const std::vector<std::string>& server_names) {
  const std::string what = "the cloud's certificates in " + folder.string();
  TRY(os::make_directories(folder).with(what));
  std::error_code error;
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return Error::from_errno(what, error.value());
  // Two cloud managers that start at the same time must not make two authorities.
  const os::FileLock lock = TRY(os::FileLock::acquire(folder / "lock").with(what));
  CloudCertificates made;
  made.authority_ = TRY(open_authority(folder).with(what));
  const CertificateInfo info = TRY(inspect_certificate(made.authority_.certificate).with(what));
  made.fingerprint_ = info.fingerprint;
  made.server_ = TRY(open_server(folder, made.authority_, server_names).with(what));
  return made;
}

Result<std::string> CloudCertificates::sign_host(const std::string& request, const std::string& name) const {
  return sign_request(authority_, request, Grant{name, "hosts", {}, true, kLifetime});
}

Result<JoinToken> JoinToken::make(const std::string& fingerprint) {
  std::string secret = TRY(random_hex(kSecretBytes));
  return JoinToken{std::move(secret), fingerprint};
}

Result<JoinToken> JoinToken::parse(std::string_view text) {
  const Error bad(ErrorCode::kInvalid, "that is no join token; it begins with \"pileus1.\" and is shown by the cloud");
  constexpr std::size_t kSecretDigits = 2 * kSecretBytes;
  if (text.size() != kTokenPrefix.size() + kSecretDigits + kFingerprintDigits + 2) return bad;
  const std::string_view secret = text.substr(kTokenPrefix.size() + 1, kSecretDigits);
  const std::string_view fingerprint = text.substr(text.size() - kFingerprintDigits);
  if (!text.starts_with(kTokenPrefix) || text[kTokenPrefix.size()] != '.' ||
      text[text.size() - kFingerprintDigits - 1] != '.' || !is_hex(secret) || !is_hex(fingerprint)) {
    return bad;
  }
  return JoinToken{std::string(secret), std::string(fingerprint)};
}

std::string JoinToken::text() const { return std::string(kTokenPrefix) + "." + secret + "." + fingerprint; }

std::string JoinToken::secret_hash() const { return sha256_hex("pileus join secret " + secret); }

Result<std::string> fetch_authority(const std::string& url, const std::string& fingerprint,
                                    std::chrono::milliseconds timeout) {
  ClientOptions options;
  options.max_body = 64 * kKiB;
  options.trust_anyone = true;
  const std::unique_ptr<Client> client = TRY(Client::create(options));
  ClientRequest request;
  request.url = url;
  request.timeout = timeout;
  request.repeatable = true;
  const Response answer = TRY(client->send(request));
  if (answer.status != 200) {
    return Error(ErrorCode::kNotFound, url + ": answered " + std::to_string(answer.status) + "; is it a Pileus cloud?");
  }
  const auto info = inspect_certificate(answer.body);
  if (!info.ok() || info->fingerprint != fingerprint) {
    return Error(ErrorCode::kPermission,
                 url + ": not the cloud that the token is for; check the address and the token");
  }
  return answer.body;
}

}  // namespace pileus::http
