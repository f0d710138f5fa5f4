// The certificates of one cloud, made on its first start: an authority, and the cloud manager's own certificate, which is
// renewed when it nears its end. Hosts get theirs by a certificate signing request; a join token lets a host know the
// cloud before it trusts it, and the cloud the host.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/certificates.h"
#include "http/client.h"

namespace pileus::http {

class CloudCertificates {
 public:
  // Reads `folder`, or makes it (mode 0700): ca.pem, ca.key, server.pem, server.key. `server_names` are the host names
  // and addresses at which the cloud manager is reached; other names than before, or an end within 30 days, make a new
  // server certificate. Complete or not at all: killed at any instant, the next call goes on.
  static Result<CloudCertificates> open(const std::filesystem::path& folder,
                                        const std::vector<std::string>& server_names);

  const Identity& authority() const { return authority_; }
  const Identity& server() const { return server_; }
  // Of the authority's certificate.
  const std::string& fingerprint() const { return fingerprint_; }

  // A certificate for the host `name`, good for a year. kInvalid as sign_request().
  Result<std::string> sign_host(const std::string& request, const std::string& name) const;

 private:
  CloudCertificates() = default;
  Identity authority_;
  Identity server_;
  std::string fingerprint_;
};

// What `pileus join ADDRESS --token T` takes: a secret that the cloud knows by its hash only, and the fingerprint of the
// cloud's authority.
//
//   token = "pileus1" "." secret "." fingerprint     ; 32 and 64 hexadecimal digits
struct JoinToken {
  std::string secret;
  std::string fingerprint;

  static Result<JoinToken> make(const std::string& fingerprint);
  static Result<JoinToken> parse(std::string_view text);
  std::string text() const;
  // What the cloud keeps, to know the secret again.
  std::string secret_hash() const;
};

// The authority's certificate from `url` (https), which is asked without trusting who answers: it is taken only if it
// has this fingerprint, else kPermission.
Result<std::string> fetch_authority(const std::string& url, const std::string& fingerprint,
                                    std::chrono::milliseconds timeout);

}  // namespace pileus::http
