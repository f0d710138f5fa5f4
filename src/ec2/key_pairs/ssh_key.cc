#include "ec2/key_pairs/ssh_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <array>
#include <memory>

#include "base/ints.h"
#include "ec2/internal/digest.h"
#include "http/base64.h"
#include "http/openssl.h"

namespace pileus::ec2 {
namespace {

constexpr unsigned kRsaBits = 2048;
constexpr std::size_t kEd25519Size = 32;
constexpr std::string_view kRsaName = "ssh-rsa";
constexpr std::string_view kEd25519Name = "ssh-ed25519";

using http::openssl::Bio;
using http::openssl::Key;
using Number = std::unique_ptr<BIGNUM, http::openssl::Free<BN_free>>;

Error failed() { return {ErrorCode::kExhausted, "the cryptographic library could not make or read a key"}; }

// RFC 4251, section 5: lengths are 32-bit big-endian.
void put_u32(std::string& out, u32 value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(value >> shift & 0xFFU);
}
void put_string(std::string& out, std::string_view text) {
  put_u32(out, static_cast<u32>(text.size()));
  out += text;
}
void put_number(std::string& out, const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  if (!bytes.empty() && (static_cast<u8>(bytes[0]) & 0x80U) != 0) bytes.insert(0, 1, '\0');
  put_string(out, bytes);
}

// The next string of a blob; nothing when it is cut off.
std::optional<std::string_view> take_string(std::string_view& blob) {
  if (blob.size() < 4) return {};
  u32 size = 0;
  for (int i = 0; i < 4; ++i) size = size << 8U | static_cast<u8>(blob[static_cast<std::size_t>(i)]);
  blob.remove_prefix(4);
  if (size > blob.size()) return {};
  const std::string_view text = blob.substr(0, size);
  blob.remove_prefix(size);
  return text;
}

std::string with_colons(std::string_view digest) {
  std::string text;
  for (const char c : digest) text += (text.empty() ? "" : ":") + hex(std::string_view(&c, 1));
  return text;
}

std::string contents(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<Number> number_of(const Key& key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key.get(), name, &number) != 1) return failed();
  return Number(number);
}

Result<NewKey> make_rsa(const std::string& name) {
  const Key key(EVP_RSA_gen(kRsaBits));
  if (!key) return failed();
  NewKey made;
  const Bio pem(BIO_new(BIO_s_mem()));
  const Bio der(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey_traditional(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      i2d_PKCS8PrivateKey_bio(der.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed();
  }
  made.private_pem = contents(pem);
  made.fingerprint = with_colons(sha1(contents(der)));
  std::string blob;
  put_string(blob, kRsaName);
  put_number(blob, TRY(number_of(key, OSSL_PKEY_PARAM_RSA_E)).get());
  put_number(blob, TRY(number_of(key, OSSL_PKEY_PARAM_RSA_N)).get());
  made.public_line = std::string(kRsaName) + " " + http::encode_base64(blob) + " " + name;
  return made;
}

// OpenSSH's PROTOCOL.key: one unencrypted key.
std::string openssh_private(std::string_view blob, std::string_view seed, std::string_view pub,
                            const std::string& comment) {
  std::string secret;
  // The same number twice tells a reader that it has decrypted well; here nothing is encrypted.
  put_u32(secret, 0);
  put_u32(secret, 0);
  put_string(secret, kEd25519Name);
  put_string(secret, pub);
  put_string(secret, std::string(seed) + std::string(pub));
  put_string(secret, comment);
  for (char pad = 1; secret.size() % 8 != 0; ++pad) secret += pad;
  std::string all("openssh-key-v1\0", 15);
  put_string(all, "none");
  put_string(all, "none");
  put_string(all, "");
  put_u32(all, 1);
  put_string(all, blob);
  put_string(all, secret);
  constexpr std::size_t kLine = 70;
  const std::string text = http::encode_base64(all);
  std::string pem = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  for (std::size_t at = 0; at < text.size(); at += kLine) pem += text.substr(at, kLine) + "\n";
  return pem + "-----END OPENSSH PRIVATE KEY-----\n";
}

Result<NewKey> make_ed25519(const std::string& name) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  std::array<unsigned char, kEd25519Size> seed = {};
  std::array<unsigned char, kEd25519Size> pub = {};
  std::size_t seed_size = seed.size();
  std::size_t pub_size = pub.size();
  if (!key || EVP_PKEY_get_raw_private_key(key.get(), seed.data(), &seed_size) != 1 ||
      EVP_PKEY_get_raw_public_key(key.get(), pub.data(), &pub_size) != 1) {
    return failed();
  }
  const std::string pub_text(pub.begin(), pub.end());
  std::string blob;
  put_string(blob, kEd25519Name);
  put_string(blob, pub_text);
  NewKey made;
  made.private_pem = openssh_private(blob, std::string(seed.begin(), seed.end()), pub_text, name);
  made.public_line = std::string(kEd25519Name) + " " + http::encode_base64(blob) + " " + name;
  made.fingerprint = http::encode_base64(sha256(blob));
  return made;
}

// MD5 of the public key as X.509 has it.
Result<std::string> rsa_fingerprint(std::string_view exponent, std::string_view modulus) {
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  const Number e(BN_bin2bn(bytes(exponent), static_cast<int>(exponent.size()), nullptr));
  const Number n(BN_bin2bn(bytes(modulus), static_cast<int>(modulus.size()), nullptr));
  const std::unique_ptr<OSSL_PARAM_BLD, http::openssl::Free<OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
  if (!e || !n || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return failed();
  }
  const std::unique_ptr<OSSL_PARAM, http::openssl::Free<OSSL_PARAM_free>> parameters(
      OSSL_PARAM_BLD_to_param(builder.get()));
  const std::unique_ptr<EVP_PKEY_CTX, http::openssl::Free<EVP_PKEY_CTX_free>> context(
      EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return failed();
  }
  const Key key(made);
  const Bio der(BIO_new(BIO_s_mem()));
  if (i2d_PUBKEY_bio(der.get(), key.get()) != 1) return failed();
  return with_colons(md5(contents(der)));
}

}  // namespace

Result<NewKey> make_key(KeyType type, const std::string& name) {
  return type == KeyType::kRsa ? make_rsa(name) : make_ed25519(name);
}

Result<ImportedKey> read_public_key(std::string_view line) {
  const Error invalid(ErrorCode::kInvalid, "Key is not in valid OpenSSH public key format: ssh-rsa or ssh-ed25519");
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = line.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return invalid;
  line = line.substr(begin, line.find_last_not_of(kBlank) - begin + 1);
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos || line.find_first_of("\r\n") != std::string_view::npos) return invalid;
  const std::string_view name = line.substr(0, space);
  const std::string_view rest = line.substr(space + 1);
  const std::optional<std::string> bytes = http::decode_base64(rest.substr(0, rest.find(' ')));
  if (!bytes || (name != kRsaName && name != kEd25519Name)) return invalid;
  std::string_view blob = *bytes;
  if (take_string(blob) != name) return invalid;
  const std::optional<std::string_view> first = take_string(blob);
  if (!first) return invalid;
  ImportedKey key;
  key.public_line = line;
  if (name == kEd25519Name) {
    if (first->size() != kEd25519Size || !blob.empty()) return invalid;
    key.type = KeyType::kEd25519;
    key.fingerprint = http::encode_base64(sha256(*bytes));
    return key;
  }
  const std::optional<std::string_view> modulus = take_string(blob);
  constexpr std::size_t kLeastRsa = 128;
  constexpr std::size_t kMostRsa = 2049;
  if (!modulus || !blob.empty() || modulus->size() < kLeastRsa || modulus->size() > kMostRsa) return invalid;
  key.type = KeyType::kRsa;
  key.fingerprint = TRY(rsa_fingerprint(*first, *modulus));
  return key;
}

}  // namespace pileus::ec2
