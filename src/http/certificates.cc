#include "http/certificates.h"

#include <arpa/inet.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <ctime>

#include "base/ints.h"
#include "http/openssl.h"

namespace pileus::http {
namespace {

using namespace openssl;

constexpr std::chrono::hours kAuthorityLifetime{24 * 3650};
constexpr long kClockSkew = 3600;  // a host whose clock is slow shall take a fresh certificate
constexpr int kSerialBits = 127;
constexpr std::size_t kMaxName = 64;  // X.520's bound on common names

std::string hex(const u8* bytes, std::size_t count) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

Result<> check_name(const std::string& name) {
  if (name.empty() || name.size() > kMaxName || name.find('\0') != std::string::npos) {
    return Error(ErrorCode::kInvalid, "the name in a certificate has 1 to " + std::to_string(kMaxName) + " bytes");
  }
  return {};
}

Result<Key> new_key() {
  Key key(EVP_EC_gen("P-256"));
  if (!key) return failure("make a key");
  return key;
}

Result<std::string> write_key(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failure("write a key");
  }
  return text_of(bio.get());
}

Result<std::string> write_certificate(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return failure("write a certificate");
  return text_of(bio.get());
}

Result<Name> make_name(const std::string& name, const std::string& role) {
  Name made(X509_NAME_new());
  const auto add = [&](const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(made.get(), field, MBSTRING_UTF8, reinterpret_cast<const u8*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  if (!made || (!role.empty() && !add("O", role)) || !add("CN", name)) {
    return failure("the name " + name + " in a certificate", ErrorCode::kInvalid);
  }
  return made;
}

bool is_address(const std::string& name) {
  in6_addr ignored;
  return ::inet_pton(AF_INET, name.c_str(), &ignored) == 1 || ::inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

// The text of an extension is a small language of OpenSSL's with commas and colons: only names without them get there.
Result<std::string> alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    const bool address = is_address(name);
    const bool plain = !name.empty() && name.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789.-*") == std::string::npos;
    if (!address && !plain) {
      return Error(ErrorCode::kInvalid, "\"" + name + "\" is neither a host name nor an IP address");
    }
    text += (text.empty() ? "" : ",") + std::string(address ? "IP:" : "DNS:") + name;
  }
  return text;
}

Result<> add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
    return failure("an extension of a certificate");
  return {};
}

// Version 3, a random serial number, good from now on.
Result<Certificate> begin_certificate(EVP_PKEY* key, std::chrono::hours lifetime) {
  Certificate certificate(X509_new());
  const std::unique_ptr<BIGNUM, Free<BN_free>> serial(BN_new());
  const long seconds = static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(lifetime).count());
  if (!certificate || !serial || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get())) == nullptr ||
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kClockSkew) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds) == nullptr ||
      X509_set_pubkey(certificate.get(), key) != 1) {
    return failure("make a certificate");
  }
  return certificate;
}

}  // namespace

Result<Identity> make_authority(const std::string& name) {
  TRY(check_name(name));
  const Key key = TRY(new_key());
  const Certificate certificate = TRY(begin_certificate(key.get(), kAuthorityLifetime));
  const Name subject = TRY(make_name(name, ""));
  if (X509_set_subject_name(certificate.get(), subject.get()) != 1 ||
      X509_set_issuer_name(certificate.get(), subject.get()) != 1) {
    return failure("make an authority");
  }
  TRY(add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TRY(add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY(add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash"));
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) return failure("sign an authority");
  Identity identity;
  identity.certificate = TRY(write_certificate(certificate.get()));
  identity.key = TRY(write_key(key.get()));
  return identity;
}

Result<std::string> make_key() {
  const Key key = TRY(new_key());
  return write_key(key.get());
}

Result<std::string> make_request(const std::string& key_text, const std::string& name) {
  TRY(check_name(name));
  const Key key = TRY(read_key(key_text));
  const Name subject = TRY(make_name(name, ""));
  const Request request(X509_REQ_new());
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!request || !bio || X509_REQ_set_subject_name(request.get(), subject.get()) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0 ||
      PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return failure("make a certificate signing request");
  }
  return text_of(bio.get());
}

Result<std::string> sign_request(const Identity& authority, const std::string& request_text, const Grant& grant) {
  TRY(check_name(grant.name));
  const Certificate issuer = TRY(read_certificate(authority.certificate));
  const Key issuer_key = TRY(read_key(authority.key));
  const Request request = TRY(read_request(request_text));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || X509_REQ_verify(request.get(), key) != 1) {
    return failure("a certificate signing request that its own key has not signed", ErrorCode::kInvalid);
  }
  const Certificate certificate = TRY(begin_certificate(key, grant.lifetime));
  const Name subject = TRY(make_name(grant.name, grant.role));
  if (X509_set_subject_name(certificate.get(), subject.get()) != 1 ||
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())) != 1) {
    return failure("make a certificate");
  }
  std::string usage;
  if (!grant.server_names.empty()) usage = "serverAuth";
  if (grant.client) usage += usage.empty() ? "clientAuth" : ",clientAuth";
  if (usage.empty()) return Error(ErrorCode::kInvalid, "a certificate for nothing: neither a server's nor a client's");
  TRY(add_extension(certificate.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE"));
  TRY(add_extension(certificate.get(), issuer.get(), NID_key_usage, "critical,digitalSignature"));
  TRY(add_extension(certificate.get(), issuer.get(), NID_ext_key_usage, usage));
  TRY(add_extension(certificate.get(), issuer.get(), NID_authority_key_identifier, "keyid"));
  if (!grant.server_names.empty()) {
    const std::string names = TRY(alternative_names(grant.server_names));
    TRY(add_extension(certificate.get(), issuer.get(), NID_subject_alt_name, names));
  }
  if (X509_sign(certificate.get(), issuer_key.get(), EVP_sha256()) == 0) return failure("sign a certificate");
  return write_certificate(certificate.get());
}

Result<Identity> make_identity(const Identity& authority, const Grant& grant) {
  Identity identity;
  identity.key = TRY(make_key());
  const std::string request = TRY(make_request(identity.key, grant.name));
  identity.certificate = TRY(sign_request(authority, request, grant));
  return identity;
}

Result<CertificateInfo> inspect_certificate(const std::string& text) {
  const Certificate certificate = TRY(read_certificate(text));
  CertificateInfo info;
  char name[256];
  const int length =
      X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof(name));
  if (length > 0) info.name.assign(name, static_cast<std::size_t>(length));
  u8 digest[SHA256_DIGEST_LENGTH];
  unsigned size = 0;
  std::tm end{};
  if (X509_digest(certificate.get(), EVP_sha256(), digest, &size) != 1 ||
      ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1) {
    return failure("read a certificate", ErrorCode::kInvalid);
  }
  info.fingerprint = hex(digest, size);
  info.not_after = std::chrono::system_clock::from_time_t(::timegm(&end));
  return info;
}

Result<std::string> random_hex(std::size_t count) {
  std::string bytes(count, '\0');
  auto* data = reinterpret_cast<u8*>(bytes.data());
  if (count > INT_MAX || RAND_bytes(data, static_cast<int>(count)) != 1) return failure("random bytes");
  return hex(data, count);
}

std::string sha256_hex(std::string_view text) {
  u8 digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const u8*>(text.data()), text.size(), digest);
  return hex(digest, sizeof(digest));
}

}  // namespace pileus::http
