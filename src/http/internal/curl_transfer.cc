#include "http/internal/curl_transfer.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace pileus::http {

namespace {

// Where a peer that vanished without a word is noticed: after about 15 + 3 * 5 seconds.
constexpr long kKeepAliveIdle = 15;
constexpr long kKeepAliveInterval = 5;

bool is_same(const sockaddr& a, const sockaddr& b) {
  if (a.sa_family != b.sa_family) return false;
  const auto same = [&](auto kind, auto member) {
    decltype(kind) left, right;
    std::memcpy(&left, &a, sizeof left);
    std::memcpy(&right, &b, sizeof right);
    return std::memcmp(&(left.*member), &(right.*member), sizeof(left.*member)) == 0;
  };
  if (a.sa_family == AF_INET) return same(sockaddr_in{}, &sockaddr_in::sin_addr);
  return a.sa_family == AF_INET6 && same(sockaddr_in6{}, &sockaddr_in6::sin6_addr);
}

// An address of one of this machine's interfaces. Where they cannot be listed, every address is.
bool is_of_interface(const sockaddr& address) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return true;
  bool found = false;
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    found |= each->ifa_addr != nullptr && is_same(*each->ifa_addr, address);
  }
  ::freeifaddrs(list);
  return found;
}

// Addresses that mean this machine or its link, or nobody in particular, whatever its interfaces are.
bool is_reserved(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    const u32 number = ntohl(v4.sin_addr.s_addr);
    return number >> 24 == 127 || number >> 24 == 0 || number >> 16 == 0xA9FE || number >> 28 >= 0xE;
  }
  if (address.sa_family != AF_INET6) return true;
  sockaddr_in6 v6{};
  std::memcpy(&v6, &address, sizeof v6);
  const in6_addr& number = v6.sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&number) || IN6_IS_ADDR_UNSPECIFIED(&number) || IN6_IS_ADDR_LINKLOCAL(&number) ||
         IN6_IS_ADDR_MULTICAST(&number) || IN6_IS_ADDR_V4MAPPED(&number);
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

}  // namespace

CurlTransfer::CurlTransfer(const ClientOptions& options, ClientRequest request, CurlHandle handle,
                           std::size_t max_unread)
    : options_(options), request_(std::move(request)), handle_(std::move(handle)), max_unread_(max_unread) {
  set_options();
}

CurlTransfer::~CurlTransfer() {
  if (handle_) curl_easy_reset(handle_.get());
}

CurlHandle CurlTransfer::release() {
  curl_easy_reset(handle_.get());  // the connections stay
  return std::move(handle_);
}

void CurlTransfer::set_options() {
  CURL* easy = handle_.get();
  const auto set = [easy](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  const auto milliseconds = [](std::chrono::milliseconds time) { return std::max<long>(1, time.count()); };
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(detail_));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_URL, request_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOPROXY, "*");  // the parts of a cloud talk to each other, whatever the environment says
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(std::min(options_.connect_timeout, request_.timeout)));
  if (max_unread_ == 0) set(CURLOPT_TIMEOUT_MS, milliseconds(request_.timeout));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, kKeepAliveIdle);
  set(CURLOPT_TCP_KEEPINTVL, kKeepAliveInterval);
  if (!options_.ca.empty()) set(CURLOPT_CAINFO, options_.ca.c_str());
  if (options_.trust_anyone) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  if (!options_.certificate.empty()) set(CURLOPT_SSLCERT, options_.certificate.c_str());
  if (!options_.key.empty()) set(CURLOPT_SSLKEY, options_.key.c_str());

  if (options_.max_redirects > 0) {
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, options_.max_redirects);
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  }
  if (options_.no_own_addresses) {
    set(CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
  }

  // Our own line instead of libcurl's "Expect: 100-continue", for which some servers let it wait a second.
  headers_.reset(curl_slist_append(nullptr, "Expect:"));
  for (const auto& [name, value] : request_.headers) {
    // "Name;" is libcurl's way to say: without a value.
    std::string line = name;
    if (value.empty()) line += ';';
    else line.append(": ").append(value);
    curl_slist* shorter = headers_.release();
    curl_slist* longer = curl_slist_append(shorter, line.c_str());
    headers_.reset(longer != nullptr ? longer : shorter);
  }
  set(CURLOPT_HTTPHEADER, headers_.get());

  if (request_.sign) {
    set_signature(*request_.sign);
  } else if (request_.method == "HEAD") {
    set(CURLOPT_NOBODY, 1L);
  } else if (request_.method != "GET" || !request_.body.empty()) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_READFUNCTION, &give_request);
    set(CURLOPT_READDATA, this);
    set(CURLOPT_SEEKFUNCTION, &rewind_request);
    set(CURLOPT_SEEKDATA, this);
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, this);
}

// libcurl signs the body only where it has it as a whole before it sends, so it may send it again by itself: over a
// connection that was kept, unless it must not.
void CurlTransfer::set_signature(const SignatureV4& sign) {
  CURL* easy = handle_.get();
  curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, ("aws:amz:" + sign.region + ":" + sign.service).c_str());
  curl_easy_setopt(easy, CURLOPT_USERNAME, sign.access_key.c_str());
  curl_easy_setopt(easy, CURLOPT_PASSWORD, sign.secret_key.c_str());
  if (!request_.repeatable) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  if (!request_.body.empty()) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

// Looked at here, and not by name: a name may lead anywhere, and elsewhere a moment later.
curl_socket_t CurlTransfer::open_socket(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  if (is_reserved(address->addr) || is_of_interface(address->addr)) {
    static_cast<CurlTransfer*>(self)->refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::optional<u64> CurlTransfer::length() const {
  const std::string* text = response_headers_.find("Content-Length");
  u64 length = 0;
  if (text == nullptr) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), length);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return length;
}

std::size_t CurlTransfer::on_header(char* data, std::size_t one, std::size_t size, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::string_view line(data, one * size);
  if (line.starts_with("HTTP/")) {
    transfer.response_headers_ = {};  // those before were of "100 Continue"
    return line.size();
  }
  const auto colon = line.find(':');
  if (colon != std::string_view::npos) {
    transfer.response_headers_.add(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
  } else if (trim(line).empty()) {
    long status = 0;
    curl_easy_getinfo(transfer.easy(), CURLINFO_RESPONSE_CODE, &status);
    const bool leads_on = transfer.options_.max_redirects > 0 && status / 100 == 3 &&
                          transfer.response_headers_.find("Location") != nullptr;
    if (status >= 200 && !leads_on) transfer.status_ = static_cast<int>(status);
  }
  return line.size();
}

std::size_t CurlTransfer::on_body(char* data, std::size_t one, std::size_t size, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::size_t bytes = one * size;
  if (transfer.max_unread_ != 0) {
    if (!transfer.body_.empty() && transfer.body_.size() + bytes > transfer.max_unread_) {
      transfer.paused_ = true;
      return CURL_WRITEFUNC_PAUSE;
    }
  } else if (transfer.body_.size() + bytes > transfer.options_.max_body) {
    transfer.too_long_ = true;
    return 0;  // an error, that is
  }
  transfer.body_.append(data, bytes);
  return bytes;
}

void CurlTransfer::resume() {
  if (std::exchange(paused_, false)) curl_easy_pause(handle_.get(), CURLPAUSE_CONT);
}

std::size_t CurlTransfer::give_request(char* buffer, std::size_t one, std::size_t size, void* self) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  const std::size_t bytes = std::min(one * size, transfer.request_.body.size() - transfer.sent_);
  transfer.request_.body.copy(buffer, bytes, transfer.sent_);
  transfer.sent_ += bytes;
  return bytes;
}

// libcurl rewinds to send the body a second time, over a new connection when a kept one broke.
int CurlTransfer::rewind_request(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<CurlTransfer*>(self);
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  const auto to = static_cast<std::size_t>(offset);
  if (to > transfer.request_.body.size()) return CURL_SEEKFUNC_CANTSEEK;
  if (transfer.sent_ > 0 && !transfer.request_.repeatable) return CURL_SEEKFUNC_FAIL;
  transfer.sent_ = to;
  return CURL_SEEKFUNC_OK;
}

Error CurlTransfer::no_answer_in_time() const {
  long sent = 0;
  curl_easy_getinfo(easy(), CURLINFO_REQUEST_SIZE, &sent);
  if (sent == 0) return {ErrorCode::kNotFound, url() + ": no connection in time"};
  return {ErrorCode::kTimeout, url() + ": no answer in time"};
}

Result<> CurlTransfer::outcome(CURLcode code) const {
  const std::string detail = detail_[0] != '\0' ? std::string(detail_) : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OK: return {};
    case CURLE_OPERATION_TIMEDOUT: return no_answer_in_time();
    case CURLE_TOO_MANY_REDIRECTS: return Error(ErrorCode::kInvalid, url() + ": leads on and on to other addresses");
    case CURLE_COULDNT_CONNECT:
      if (refused_) return Error(ErrorCode::kPermission, url() + ": leads to an address of the host itself");
      return Error(ErrorCode::kNotFound, url() + ": no connection: " + detail);
    case CURLE_COULDNT_RESOLVE_HOST: return Error(ErrorCode::kNotFound, url() + ": no connection: " + detail);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
      return Error(ErrorCode::kPermission, url() + ": no trusted connection: " + detail);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return Error(ErrorCode::kInvalid, url() + ": not an http or https URL");
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
      return Error(ErrorCode::kInvalid, url() + ": a certificate file cannot be used: " + detail);
    case CURLE_OUT_OF_MEMORY: return Error(ErrorCode::kExhausted, url() + ": no memory for a request");
    case CURLE_WRITE_ERROR:
      if (too_long_) {
        return Error(ErrorCode::kExhausted,
                     url() + ": the answer is longer than " + std::to_string(options_.max_body) + " bytes");
      }
      break;
    default: break;
  }
  return Error(ErrorCode::kIo, url() + ": the connection broke: " + detail);
}

Response CurlTransfer::take_response() {
  Response response;
  response.status = status_;
  response.headers = std::move(response_headers_);
  response.body = std::move(body_);
  return response;
}

}  // namespace pileus::http
