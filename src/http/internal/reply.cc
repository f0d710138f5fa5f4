#include "http/internal/reply.h"

#include <algorithm>

#include "base/log.h"

namespace pileus::http {

void StreamList::add(const std::shared_ptr<Stream>& stream) {
  const std::lock_guard lock(mutex_);
  if (closed_) return stream->close();
  if (open_.size() >= forget_at_) {
    std::erase_if(open_, [](const auto& each) { return each.expired(); });
    forget_at_ = std::max<std::size_t>(64, 2 * open_.size());
  }
  open_.push_back(stream);
}

void StreamList::close_all() {
  std::vector<std::weak_ptr<Stream>> all;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    all = std::exchange(open_, {});
  }
  for (const auto& each : all) {
    if (const auto stream = each.lock()) stream->close();
  }
}

namespace {

constexpr std::size_t kBlock = 16 * kKiB;  // of a stream, at a time

using StreamHolder = std::shared_ptr<OutgoingStream>;

ssize_t read_stream(void* holder, u64 /*position*/, char* buffer, std::size_t size) {
  return (*static_cast<StreamHolder*>(holder))->read(buffer, size);
}

void free_stream(void* holder) {
  const std::unique_ptr<StreamHolder> stream(static_cast<StreamHolder*>(holder));
  (*stream)->detach();
}

struct DestroyResponse {
  void operator()(MHD_Response* response) const { MHD_destroy_response(response); }
};
using ResponseHandle = std::unique_ptr<MHD_Response, DestroyResponse>;

ResponseHandle make_body(std::string& body) {
  return ResponseHandle(MHD_create_response_from_buffer(body.size(), body.data(), MHD_RESPMEM_MUST_COPY));
}

ResponseHandle make_stream(MHD_Connection* connection, const std::shared_ptr<Stream>& stream) {
  auto outgoing = std::static_pointer_cast<OutgoingStream>(stream);
  outgoing->attach(connection);
  auto holder = std::make_unique<StreamHolder>(std::move(outgoing));
  ResponseHandle handle(
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kBlock, &read_stream, holder.get(), &free_stream));
  if (handle) static_cast<void>(holder.release());
  else (*holder)->detach();
  return handle;
}

bool add_headers(MHD_Response* handle, const Headers& headers) {
  return std::all_of(headers.begin(), headers.end(), [&](const auto& header) {
    // An empty value is fine for HTTP, but not for libmicrohttpd.
    const char* value = header.second.empty() ? " " : header.second.c_str();
    return MHD_add_response_header(handle, header.first.c_str(), value) == MHD_YES;
  });
}

}  // namespace

MHD_Result queue_reply(MHD_Connection* connection, Response response) {
  ResponseHandle handle = response.stream ? make_stream(connection, response.stream) : make_body(response.body);
  if (handle && !add_headers(handle.get(), response.headers)) {
    log::error("http: an answer with a header that HTTP does not allow");
    Response failure = text_response(500, "internal error");
    handle = make_body(failure.body);
    response.status = failure.status;
  }
  if (!handle) return MHD_NO;
  return MHD_queue_response(connection, static_cast<unsigned>(response.status), handle.get());
}

}  // namespace pileus::http
