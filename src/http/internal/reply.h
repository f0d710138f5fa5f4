// Handing a Response to libmicrohttpd, and the streams among them that are still open.
#pragma once

#include <microhttpd.h>

#include <memory>
#include <mutex>
#include <vector>

#include "http/internal/stream.h"

namespace pileus::http {

class StreamList {
 public:
  // After close_all() it is closed at once.
  void add(const std::shared_ptr<Stream>& stream);
  void close_all();

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<Stream>> open_;  // guarded by mutex_
  std::size_t forget_at_ = 64;               // clear out those that are gone at this number; guarded by mutex_
  bool closed_ = false;                      // guarded by mutex_
};

// On libmicrohttpd's thread. A header that HTTP does not allow makes it a 500.
MHD_Result queue_reply(MHD_Connection* connection, Response response);

}  // namespace pileus::http
