#include "ec2/call.h"

namespace pileus::ec2 {

Result<> Catalogue::read(const std::function<void(const control::View&)>& use) {
  // The first failure may be a watch that was left behind; it begins anew.
  if (!view_->sync()) TRY(view_->sync());
  return view_->read(use);
}

Reply<> retry(const std::function<Reply<bool>()>& attempt) {
  constexpr int kTries = 20;  // as many as take turns at an account's quota
  for (int i = 0; i < kTries; ++i) {
    if (TRY(attempt())) return {};
  }
  return ApiError("Unavailable", "Others are changing the same thing: try again", 503);
}

}  // namespace pileus::ec2
