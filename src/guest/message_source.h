// MessageSource: an MsiSource whose messages are calls of the sink. It calls under its lock: the sink must not call back.
#pragma once

#include <mutex>

#include "guest/interrupt.h"

namespace pileus::guest {

class MessageSource final : public MsiSource {
 public:
  explicit MessageSource(MsiSink& sink) : sink_(sink) {}

  void signal() override;
  void set_route(const std::optional<MsiMessage>& route) override;
  bool pending() const override;
  void forget() override;

 private:
  void send_pending();  // under mutex_

  MsiSink& sink_;
  mutable std::mutex mutex_;
  std::optional<MsiMessage> route_;  // guarded by mutex_
  bool pending_ = false;  // guarded by mutex_
};

}  // namespace pileus::guest
