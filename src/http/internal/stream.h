// The server's side of Stream: a buffer between those who write and libmicrohttpd, which asks for bytes when the socket
// takes some. With nothing to send its connection is suspended.
#pragma once

#include <microhttpd.h>

#include <mutex>
#include <string>

#include "http/server.h"

namespace pileus::http {

class OutgoingStream final : public Stream {
 public:
  explicit OutgoingStream(std::size_t max_waiting) : max_waiting_(max_waiting) {}

  bool write(std::string_view data) override;
  void close() override;
  bool closed() const override;

  // libmicrohttpd's thread: the connection it goes to; bytes for it; and that it is gone.
  void attach(MHD_Connection* connection);
  ssize_t read(char* buffer, std::size_t size);
  void detach();

 private:
  void wake();

  const std::size_t max_waiting_;
  mutable std::mutex mutex_;
  MHD_Connection* connection_ = nullptr;  // guarded by mutex_
  bool suspended_ = false;  // guarded by mutex_
  bool closed_ = false;  // no more writes; guarded by mutex_
  bool too_slow_ = false;  // guarded by mutex_
  std::string waiting_;  // guarded by mutex_
};

}  // namespace pileus::http
