#include "state/compactor.h"

namespace pileus::state {

Result<Revision> Compactor::step(Time now) {
  const Snapshot here = TRY(store_.get(Get{KeyRange::key("a"), 1, true}));
  const bool moved = samples_.empty() || samples_.back().revision != here.revision;
  // With too many samples history is kept a little longer.
  if (moved && samples_.size() < kMaxSamples) samples_.push_back({now, here.revision});
  Revision to = 0;
  while (!samples_.empty() && now - samples_.front().time >= keep_) {
    to = samples_.front().revision;
    samples_.pop_front();
  }
  if (to == 0) return to;
  const Result<> done = store_.compact(to);
  // Another cloud manager was faster.
  if (!done.ok() && done.error().code() == ErrorCode::kGone) return Revision{0};
  if (!done.ok()) return done.error();
  return to;
}

}  // namespace pileus::state
