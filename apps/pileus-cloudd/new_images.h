// Which images are ready to be published: what no host has told that it has cannot be launched, and a launch of it would be
// refused. Hosts tell within seconds; a manager whose library no host shares does not wait for long.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>

#include "control/shared_view.h"

namespace pileus::cloudd {

class NewImages {
 public:
  explicit NewImages(std::shared_ptr<control::SharedView> view) : view_(std::move(view)) {}

  // Any thread.
  bool is_ready(model::ImageId image);

 private:
  const std::shared_ptr<control::SharedView> view_;
  std::mutex mutex_;
  std::map<model::ImageId, std::chrono::steady_clock::time_point> seen_;  // that were not ready; guarded by mutex_
};

}  // namespace pileus::cloudd
