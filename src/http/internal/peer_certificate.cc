#include "http/internal/peer_certificate.h"

#include <gnutls/x509.h>

#include <memory>

namespace pileus::http {
namespace {

struct FreeCertificate {
  void operator()(gnutls_x509_crt_t certificate) const { gnutls_x509_crt_deinit(certificate); }
};

bool is_trusted(gnutls_session_t session) {
  gnutls_typed_vdata_st purpose{};
  purpose.type = GNUTLS_DT_KEY_PURPOSE_OID;
  std::string client = GNUTLS_KP_TLS_WWW_CLIENT;
  purpose.data = reinterpret_cast<unsigned char*>(client.data());
  unsigned status = 0;
  return gnutls_certificate_verify_peers(session, &purpose, 1, &status) == GNUTLS_E_SUCCESS && status == 0;
}

}  // namespace

PeerCertificate examine_peer(gnutls_session_t session) {
  PeerCertificate peer;
  unsigned count = 0;
  const gnutls_datum_t* chain = gnutls_certificate_get_peers(session, &count);
  if (chain == nullptr || count == 0) {
    peer.state = PeerCertificate::State::kNone;
    return peer;
  }
  peer.state = PeerCertificate::State::kBad;
  gnutls_x509_crt_t handle = nullptr;
  if (gnutls_x509_crt_init(&handle) != GNUTLS_E_SUCCESS) return peer;
  const std::unique_ptr<std::remove_pointer_t<gnutls_x509_crt_t>, FreeCertificate> certificate(handle);
  if (gnutls_x509_crt_import(handle, &chain[0], GNUTLS_X509_FMT_DER) != GNUTLS_E_SUCCESS) return peer;

  gnutls_datum_t subject{};
  if (gnutls_x509_crt_get_dn3(handle, &subject, 0) != GNUTLS_E_SUCCESS) return peer;
  peer.subject.assign(reinterpret_cast<const char*>(subject.data), subject.size);
  gnutls_free(subject.data);
  char name[256];
  std::size_t size = sizeof(name);
  if (gnutls_x509_crt_get_dn_by_oid(handle, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) == GNUTLS_E_SUCCESS) {
    peer.name.assign(name, size);
  }
  if (is_trusted(session)) peer.state = PeerCertificate::State::kGood;
  return peer;
}

}  // namespace pileus::http
