#include "base/result.h"

#include <cstdio>
#include <cstring>

namespace pileus {

namespace {
ErrorCode code_of(int error_number) {
  switch (error_number) {
    case ENOENT: return ErrorCode::kNotFound;
    case EEXIST: return ErrorCode::kExists;
    case EACCES:
    case EPERM:
    case EROFS: return ErrorCode::kPermission;
    case EBUSY:
    case EAGAIN:
    case EADDRINUSE: return ErrorCode::kBusy;
    case ENOSPC:
    case ENOMEM:
    case EMFILE:
    case EDQUOT: return ErrorCode::kExhausted;
    case ETIMEDOUT: return ErrorCode::kTimeout;
    case EINVAL: return ErrorCode::kInvalid;
    case EOPNOTSUPP:
    case ENOSYS: return ErrorCode::kUnsupported;
    default: return ErrorCode::kIo;
  }
}
}  // namespace

Error Error::from_errno(const std::string& what, int error_number) {
  return {code_of(error_number), what + ": " + std::strerror(error_number)};  // NOLINT(concurrency-mt-unsafe)
}

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "pileus: internal error at %s:%d: %s does not hold\n", file, line, condition);
  std::abort();
}

}  // namespace pileus
