// Who a TLS client says it is.
#pragma once

#include <gnutls/gnutls.h>

#include "http/internal/connections.h"

namespace pileus::http {

// Checks the certificate that the client of this session has shown against the server's client_ca, for the purpose of
// being a client.
PeerCertificate examine_peer(gnutls_session_t session);

}  // namespace pileus::http
