// SSH keys: made, and read in OpenSSH's form, with the fingerprints that EC2 shows. OpenSSL does the mathematics.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pileus::ec2 {

enum class KeyType { kRsa, kEd25519 };

struct NewKey {
  std::string private_pem;  // PKCS #1 for RSA, OpenSSH's own format for Ed25519: what ssh reads
  std::string public_line;  // "ssh-rsa AAAA... name"
  std::string fingerprint;  // RSA: SHA-1 of the private key's DER (PKCS #8); Ed25519: SHA-256 of the public key, base64
};
Result<NewKey> make_key(KeyType type, const std::string& name);

struct ImportedKey {
  KeyType type = KeyType::kRsa;
  std::string public_line;
  std::string fingerprint;  // RSA: MD5 of the public key's DER; Ed25519 as above
};
// A line "ssh-rsa AAAA..." or "ssh-ed25519 AAAA...". kInvalid.
Result<ImportedKey> read_public_key(std::string_view line);

}  // namespace pileus::ec2
