#include "http/internal/client_socket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "http/internal/name_look_up.h"

namespace pileus::http {
namespace {

using Clock = std::chrono::steady_clock;

using Context = std::unique_ptr<SSL_CTX, openssl::Free<SSL_CTX_free>>;

Error no_connection(const Target& target, const std::string& why) {
  return {ErrorCode::kNotFound, target.origin() + ": no connection: " + why};
}

// Whether the descriptor was ready before the deadline.
bool wait_for(int fd, short events, Clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() < 0) return false;
    pollfd ready{fd, events, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(std::min<i64>(left.count() + 1, 60'000)));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

Result<os::Fd> connect_to(const addrinfo& address, const Target& target, Clock::time_point deadline) {
  os::Fd fd(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return Error(ErrorCode::kExhausted, target.origin() + ": no socket: " + std::strerror(errno));
  // Requests are small and somebody waits for each; a peer that vanished without a word is noticed after half a minute:
  // by probes, or, while something is unacknowledged and none are sent, by the time that it has been so.
  constexpr int kOn = 1;
  constexpr int kIdle = 15;
  constexpr int kInterval = 5;
  constexpr int kProbes = 3;
  constexpr unsigned kUnacknowledgedMs = 30'000;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof(kOn));
  ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &kOn, sizeof(kOn));
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPIDLE, &kIdle, sizeof(kIdle));
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPINTVL, &kInterval, sizeof(kInterval));
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof(kProbes));
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMs, sizeof(kUnacknowledgedMs));
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) == 0) return fd;
  if (errno != EINPROGRESS) return no_connection(target, std::strerror(errno));
  if (!wait_for(fd.get(), POLLOUT, deadline)) return no_connection(target, "none in time");
  int error = 0;
  socklen_t size = sizeof(error);
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return no_connection(target, std::strerror(error));
  return fd;
}

Result<Context> make_context(const ClientOptions& options) {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return openssl::failure("TLS cannot start", ErrorCode::kExhausted);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), options.trust_anyone ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  const bool trusts = options.ca.empty() ? SSL_CTX_set_default_verify_paths(context.get()) == 1
                                         : SSL_CTX_load_verify_file(context.get(), options.ca.c_str()) == 1;
  if (!trusts) return openssl::failure(options.ca.string() + " cannot be used", ErrorCode::kInvalid);
  const bool shows = options.certificate.empty() ||
                     (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) == 1 &&
                      SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) == 1);
  if (!shows) return openssl::failure(options.certificate.string() + " cannot be used", ErrorCode::kInvalid);
  constexpr unsigned char kProtocols[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), kProtocols, sizeof(kProtocols));
  return context;
}

// OpenSSL's own would raise SIGPIPE where the server has closed the connection.
int send_quietly(BIO* bio, const char* data, int size) {
  int fd = -1;
  BIO_get_fd(bio, &fd);
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

// A BIO for a socket, but for how it writes.
BIO* make_bio(int fd) {
  static const std::unique_ptr<BIO_METHOD, openssl::Free<BIO_meth_free>> kMethod = [] {
    const BIO_METHOD* socket = BIO_s_socket();
    std::unique_ptr<BIO_METHOD, openssl::Free<BIO_meth_free>> method(BIO_meth_new(BIO_TYPE_SOCKET, "socket"));
    if (!method) return method;
    BIO_meth_set_write(method.get(), &send_quietly);
    BIO_meth_set_read(method.get(), BIO_meth_get_read(socket));
    BIO_meth_set_ctrl(method.get(), BIO_meth_get_ctrl(socket));
    BIO_meth_set_create(method.get(), BIO_meth_get_create(socket));
    BIO_meth_set_destroy(method.get(), BIO_meth_get_destroy(socket));
    return method;
  }();
  BIO* bio = kMethod ? BIO_new(kMethod.get()) : nullptr;
  if (bio != nullptr) BIO_set_fd(bio, fd, BIO_NOCLOSE);
  return bio;
}

bool is_address(const std::string& host) {
  in6_addr parsed = {};
  return ::inet_pton(AF_INET, host.c_str(), &parsed) == 1 || ::inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

// Whom the certificate has to name.
void expect_name(SSL* ssl, const std::string& host) {
  if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
    return;
  }
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
  SSL_set1_host(ssl, host.c_str());
}

}  // namespace

Result<Target> parse_target(const std::string& url) {
  Target target;
  const std::size_t scheme = url.find("://");
  const bool known = url.starts_with("http://") || url.starts_with("https://");
  if (known) {
    target.tls = url.starts_with("https://");
    const std::size_t begin = scheme + 3;
    const std::size_t end = std::min(url.find_first_of("/?", begin), url.size());
    target.authority = url.substr(begin, end - begin);
    target.path = url.substr(end);
    if (!target.path.starts_with('/')) target.path.insert(0, 1, '/');
    const std::size_t bracket = target.authority.starts_with('[') ? target.authority.find(']') : 0;
    const std::size_t colon = bracket == std::string::npos ? bracket : target.authority.find(':', bracket);
    target.host = target.authority.substr(0, colon);
    if (bracket == std::string::npos) target.host.clear();
    else if (bracket != 0) target.host = target.authority.substr(1, bracket - 1);
    target.port = colon == std::string::npos ? (target.tls ? "443" : "80") : target.authority.substr(colon + 1);
  }
  if (target.host.empty() || target.port.empty()) return Error(ErrorCode::kInvalid, url + ": not an http or https URL");
  return target;
}

Result<ClientSocket> ClientSocket::connect(const ClientOptions& options, const Target& target, Time deadline) {
  const Result<Addresses> addresses = look_up(target.host, target.port, deadline);
  if (!addresses) return no_connection(target, addresses.error().message());
  Error last = no_connection(target, "no address");
  for (const addrinfo* address = addresses->get(); address != nullptr; address = address->ai_next) {
    Result<os::Fd> fd = connect_to(*address, target, deadline);
    if (!fd) {
      last = fd.error();
      continue;
    }
    ClientSocket socket(std::move(*fd));
    if (target.tls) TRY(socket.shake_hands(options, target, deadline));
    return socket;
  }
  return last;
}

Result<> ClientSocket::shake_hands(const ClientOptions& options, const Target& target, Time deadline) {
  const Context context = TRY(make_context(options));
  ssl_.reset(SSL_new(context.get()));
  BIO* bio = ssl_ ? make_bio(fd()) : nullptr;
  if (bio == nullptr) return openssl::failure("TLS cannot start", ErrorCode::kExhausted);
  SSL_set_bio(ssl_.get(), bio, bio);
  // What could not be sent is offered again from another place.
  SSL_set_mode(ssl_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_set_connect_state(ssl_.get());
  expect_name(ssl_.get(), target.host);
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) break;
    const int error = SSL_get_error(ssl_.get(), result);
    const bool waits = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    if (!waits) return openssl::failure(target.origin() + ": no trusted connection", ErrorCode::kPermission);
    if (!wait_for(fd(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) {
      return no_connection(target, "no TLS in time");
    }
  }
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  if (size == 2 && std::memcmp(protocol, "h2", size) == 0) return {};
  return Error(ErrorCode::kPermission, target.origin() + ": the server does not speak HTTP/2");
}

Result<std::size_t> ClientSocket::outcome(int result, const char* what) {
  if (result > 0) return static_cast<std::size_t>(result);
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return std::size_t{0};
  if (error == SSL_ERROR_ZERO_RETURN) return Error(ErrorCode::kIo, "the server has closed the connection");
  return openssl::failure(what);
}

Result<std::size_t> ClientSocket::read(char* buffer, std::size_t size) {
  if (ssl_) {
    ERR_clear_error();
    return outcome(SSL_read(ssl_.get(), buffer, static_cast<int>(std::min<std::size_t>(size, INT_MAX))), "reading");
  }
  const ssize_t got = ::recv(fd(), buffer, size, 0);
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0) return Error(ErrorCode::kIo, "the server has closed the connection");
  if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
  return Error(ErrorCode::kIo, std::strerror(errno));
}

Result<std::size_t> ClientSocket::write(std::string_view bytes) {
  if (ssl_) {
    ERR_clear_error();
    const std::size_t size = std::min<std::size_t>(bytes.size(), INT_MAX);
    return outcome(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(size)), "writing");
  }
  const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
  return Error(ErrorCode::kIo, std::strerror(errno));
}

}  // namespace pileus::http
