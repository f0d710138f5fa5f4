#include "http/internal/stream.h"

#include <algorithm>
#include <cstring>

namespace pileus::http {

std::shared_ptr<Stream> Stream::create(std::size_t max_waiting) {
  return std::make_shared<OutgoingStream>(max_waiting);
}

bool OutgoingStream::write(std::string_view data) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  if (waiting_.size() + data.size() > max_waiting_) {
    closed_ = too_slow_ = true;
    waiting_ = {};
  } else {
    waiting_ += data;
  }
  wake();
  return !closed_;
}

void OutgoingStream::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wake();
}

bool OutgoingStream::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void OutgoingStream::attach(MHD_Connection* connection) {
  const std::lock_guard lock(mutex_);
  connection_ = connection;
}

ssize_t OutgoingStream::read(char* buffer, std::size_t size) {
  const std::lock_guard lock(mutex_);
  if (too_slow_) return MHD_CONTENT_READER_END_WITH_ERROR;
  if (waiting_.empty()) {
    if (closed_) return MHD_CONTENT_READER_END_OF_STREAM;
    suspended_ = true;
    MHD_suspend_connection(connection_);
    return 0;
  }
  const std::size_t bytes = std::min(size, waiting_.size());
  std::memcpy(buffer, waiting_.data(), bytes);
  waiting_.erase(0, bytes);
  return static_cast<ssize_t>(bytes);
}

void OutgoingStream::detach() {
  const std::lock_guard lock(mutex_);
  connection_ = nullptr;
  suspended_ = false;
  closed_ = true;
  waiting_ = {};
}

void OutgoingStream::wake() {
  if (connection_ != nullptr && std::exchange(suspended_, false)) MHD_resume_connection(connection_);
}

}  // namespace pileus::http
