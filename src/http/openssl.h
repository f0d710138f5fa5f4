// Owners of OpenSSL's objects, and PEM to and from them.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <climits>
#include <memory>
#include <string>

#include "base/result.h"

namespace pileus::http::openssl {

template <auto free>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    free(object);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Free<X509_REQ_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>>;
using Name = std::unique_ptr<X509_NAME, Free<X509_NAME_free>>;

// What failed in OpenSSL last, in its words; forgets it.
inline Error failure(const std::string& what, ErrorCode code = ErrorCode::kIo) {
  char text[256] = "no reason given";
  if (const unsigned long error = ERR_peek_last_error(); error != 0) ERR_error_string_n(error, text, sizeof(text));
  ERR_clear_error();
  return {code, what + ": " + text};
}

inline Bio reading(const std::string& text) {
  if (text.size() > INT_MAX) return nullptr;
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

// No passphrase is ever asked for: there is nobody to ask.
inline int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) { return -1; }

inline Result<Key> read_key(const std::string& pem) {
  const Bio bio = reading(pem);
  Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr) : nullptr);
  if (!key) return failure("not a private key in PEM", ErrorCode::kInvalid);
  return key;
}

inline Result<Certificate> read_certificate(const std::string& pem) {
  const Bio bio = reading(pem);
  Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, &no_passphrase, nullptr) : nullptr);
  if (!certificate) return failure("not a certificate in PEM", ErrorCode::kInvalid);
  return certificate;
}

inline Result<Request> read_request(const std::string& pem) {
  const Bio bio = reading(pem);
  Request request(bio ? PEM_read_bio_X509_REQ(bio.get(), nullptr, &no_passphrase, nullptr) : nullptr);
  if (!request) return failure("not a certificate signing request in PEM", ErrorCode::kInvalid);
  return request;
}

}  // namespace pileus::http::openssl
