#include "ec2/reply.h"

#include "base/log.h"

namespace pileus::ec2 {

ApiError internal_error(const Error& error) {
  log::error("api: {}", error.message());
  switch (error.code()) {
    case ErrorCode::kTimeout:
    case ErrorCode::kBusy: return {"Unavailable", "The cloud cannot answer now: try again", 503};
    case ErrorCode::kExhausted:
      return {"InsufficientCapacity", "The cloud's own store is full: its administrator has to make room", 503};
    default: return {"InternalError", "An error inside the cloud: its log says more", 500};
  }
}

}  // namespace pileus::ec2
