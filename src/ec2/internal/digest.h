// SHA-256 and HMAC by OpenSSL.
#pragma once

#include <string>
#include <string_view>

namespace pileus::ec2 {

std::string sha256(std::string_view data);  // 32 bytes
std::string sha1(std::string_view data);    // 20 bytes
std::string md5(std::string_view data);     // 16 bytes
std::string hmac_sha256(std::string_view key, std::string_view data);
std::string hmac_sha1(std::string_view key, std::string_view data);
std::string hex(std::string_view bytes);  // lower case
// In a time that does not tell where they differ.
bool equal_secrets(std::string_view one, std::string_view other);

}  // namespace pileus::ec2
