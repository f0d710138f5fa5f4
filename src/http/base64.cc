#include "http/base64.h"

#include <openssl/evp.h>

#include "base/ints.h"
#include "base/result.h"

namespace pileus::http {

namespace {

// OpenSSL takes and gives lengths as int; pieces of a multiple of 3 bytes (4 characters) are independent.
constexpr std::size_t kPieceBytes = 3 << 20;
constexpr std::size_t kPieceText = 4 << 20;

const u8* bytes_of(std::string_view text) { return reinterpret_cast<const u8*>(text.data()); }
u8* bytes_of(std::string& text, std::size_t offset) { return reinterpret_cast<u8*>(text.data() + offset); }

bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  // EVP_EncodeBlock ends each piece with a zero byte.
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  std::size_t written = 0;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kPieceBytes))) {
    const std::string_view piece = bytes.substr(0, kPieceBytes);
    const int size = EVP_EncodeBlock(bytes_of(text, written), bytes_of(piece), static_cast<int>(piece.size()));
    written += static_cast<std::size_t>(size);
  }
  text.resize(written);
  return text;
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return std::string();
  // EVP_DecodeBlock is lenient: it skips white space around and takes padding for zeroes anywhere.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    if (!is_base64(c)) return std::nullopt;
  }
  std::string bytes(text.size() / 4 * 3, '\0');
  std::size_t written = 0;
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), kPieceText))) {
    const std::string_view piece = text.substr(0, kPieceText);
    const int size = EVP_DecodeBlock(bytes_of(bytes, written), bytes_of(piece), static_cast<int>(piece.size()));
    if (size < 0) return std::nullopt;
    written += static_cast<std::size_t>(size);
  }
  CHECK(written >= padding);
  bytes.resize(written - padding);
  return bytes;
}

}  // namespace pileus::http
