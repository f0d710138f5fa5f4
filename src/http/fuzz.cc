#include "http/fuzz.h"

#include "http/base64.h"
#include "http/cloud_certificates.h"

namespace pileus::http {

namespace {

std::string_view text_of(std::span<const u8> input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

}  // namespace

void fuzz_base64(std::span<const u8> input) {
  CHECK(decode_base64(encode_base64(text_of(input))) == text_of(input));
  const auto decoded = decode_base64(text_of(input));
  // Padding may hide bits that are not encoded again, but never bytes.
  if (decoded) CHECK(encode_base64(*decoded).size() == input.size());
}

void fuzz_join_token(std::span<const u8> input) {
  const auto token = JoinToken::parse(text_of(input));
  if (token.ok()) CHECK(token->text() == text_of(input));
}

void fuzz_certificate_request(std::span<const u8> input) {
  static const Identity authority = [] {
    auto made = make_authority("fuzz");
    CHECK(made.ok());
    return std::move(made).value();
  }();
  const auto certificate =
      sign_request(authority, std::string(text_of(input)), Grant{"host", "hosts", {}, true, std::chrono::hours(1)});
  if (!certificate.ok()) return;
  const auto info = inspect_certificate(*certificate);
  CHECK(info.ok() && info->name == "host");
}

}  // namespace pileus::http
