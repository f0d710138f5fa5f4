// CurlTransfer: one request on one of libcurl's handles: its options, what comes back, and what went wrong in our words.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "http/client.h"

namespace pileus::http {

struct CloseCurl {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CloseCurl>;

class CurlTransfer {
 public:
  // `max_unread` of 0: a whole answer within the request's timeout. Otherwise a stream: the server waits while that much
  // is unread, and there is no timeout but that for connecting.
  CurlTransfer(const ClientOptions& options, ClientRequest request, CurlHandle handle, std::size_t max_unread);
  ~CurlTransfer();
  CurlTransfer(const CurlTransfer&) = delete;
  CurlTransfer& operator=(const CurlTransfer&) = delete;

  CURL* easy() const { return handle_.get(); }
  const std::string& url() const { return request_.url; }
  int status() const { return status_; }
  std::optional<u64> length() const;

  // Streams: the body that has come since the last call; lets a server that had to wait go on.
  std::string take_body() { return std::exchange(body_, {}); }
  void resume();

  // What libcurl's code means for the caller.
  Result<> outcome(CURLcode code) const;
  Error no_answer_in_time() const;
  Response take_response();
  // The handle, with its kept connections, for another request.
  CurlHandle release();

 private:
  void set_options();
  void set_signature(const SignatureV4& sign);
  static std::size_t on_header(char* data, std::size_t one, std::size_t size, void* self);
  static std::size_t on_body(char* data, std::size_t one, std::size_t size, void* self);
  static std::size_t give_request(char* buffer, std::size_t one, std::size_t size, void* self);
  static int rewind_request(void* self, curl_off_t offset, int origin);

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

  struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  const ClientOptions& options_;
  const ClientRequest request_;
  CurlHandle handle_;
  const std::size_t max_unread_;
  std::unique_ptr<curl_slist, FreeList> headers_;
  std::size_t sent_ = 0;  // of the request's body
  int status_ = 0;
  Headers response_headers_;
  std::string body_;
  bool too_long_ = false;
  bool paused_ = false;
  bool refused_ = false;  // an address of the machine's own
  char detail_[CURL_ERROR_SIZE] = {};
};

}  // namespace pileus::http
