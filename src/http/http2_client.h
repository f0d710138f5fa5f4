// A Client that speaks HTTP/2, to servers that are known to: http:// without asking, https:// as TLS agrees on it. All
// requests to a server share one connection, at the same time. nghttp2 does the work. (libcurl 7.88, Debian 12's, loses
// track of HTTP/2 connections that it keeps, and of long answers.)
//
// Each connection has a thread, which reads. A connection over which an answer did not come in time gets no new requests:
// they have another one. `sign`, `max_redirects` and `no_own_addresses` are not for this client.
#pragma once

#include "http/client.h"

namespace pileus::http {

Result<std::unique_ptr<Client>> make_http2_client(ClientOptions options = {});

}  // namespace pileus::http
