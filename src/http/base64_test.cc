#include "http/base64.h"

#include <gtest/gtest.h>

namespace pileus::http {
namespace {

TEST(Base64, ExamplesOfRfc4648) {
  const struct {
    const char* bytes;
    const char* text;
  } rows[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& row : rows) {
    EXPECT_EQ(encode_base64(row.bytes), row.text);
    EXPECT_EQ(decode_base64(row.text), row.bytes);
  }
}

TEST(Base64, AnyBytesOfAnyLengthComeBack) {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 7));
  }
  const std::string large(7'000'001, 'x');
  EXPECT_EQ(decode_base64(encode_base64(large)), large);
}

TEST(Base64, RefusesWhatIsNone) {
  for (const char* text :
       {"Zg=", "Zg", "Z", "Zg==Zg==", "=g==", "Z===", "====", "Zm9v\n", " Zm9v", "Zm9v Zm9", "Zm-v", "Zm9v=="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace pileus::http
