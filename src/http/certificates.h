// Certificates for TLS between the parts of one cloud: an authority (CA), and certificates that it signs for requests.
// Keys are ECDSA on P-256; everything is text in PEM. OpenSSL does the work. Any thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"

namespace pileus::http {

struct Identity {
  std::string certificate;
  std::string key;
};

// A new authority, good for ten years: it may sign certificates, but no other authorities.
Result<Identity> make_authority(const std::string& name);

Result<std::string> make_key();
// A certificate signing request (PKCS #10, RFC 2986) that says: this key is `name`'s.
Result<std::string> make_request(const std::string& key, const std::string& name);

struct Grant {
  std::string name;  // common name, whatever the request says
  std::string role;  // organization; empty: none
  // Who may be reached under this certificate: host names and IP addresses. Empty: it is no server's.
  std::vector<std::string> server_names;
  bool client = false;  // it may be shown by a client
  std::chrono::hours lifetime{24 * 365};
};
// kInvalid for what is no request, or is not signed with the key that it carries: who asks has to have the key.
Result<std::string> sign_request(const Identity& authority, const std::string& request, const Grant& grant);

// Key, request and certificate in one.
Result<Identity> make_identity(const Identity& authority, const Grant& grant);

struct CertificateInfo {
  std::string name;         // common name
  std::string fingerprint;  // SHA-256 of its DER, 64 hexadecimal digits
  std::chrono::system_clock::time_point not_after;
};
Result<CertificateInfo> inspect_certificate(const std::string& certificate);

// `count` unguessable bytes as hexadecimal digits, and the SHA-256 of a text likewise.
Result<std::string> random_hex(std::size_t count);
std::string sha256_hex(std::string_view text);

}  // namespace pileus::http
