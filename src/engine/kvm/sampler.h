// Sampler: a profile of what vCPUs under KVM do. A thread takes each vCPU out of the guest once in a period, and the vCPU's own
// thread notes where that was. A vCPU that serves a device is not disturbed: that it does is all there is to note.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <vector>

#include "base/result.h"
#include "engine/profile.h"

namespace pileus::engine::kvm {

// What is sampled. sample() is called by the sampler's thread, and leads to Sampler::count() soon, or not.
class Sampled {
 public:
  virtual ~Sampled() = default;
  virtual void sample() = 0;
};

class Sampler {
 public:
  ~Sampler() { stop(); }

  // kBusy when it samples already. `vcpus` live until stop(). start() and stop(): any thread, one at a time.
  Result<> start(u64 period_ns, std::vector<Sampled*> vcpus);
  // What was found since then; nothing when it does not sample.
  Profile stop();
  // Any thread. `rip`: where the guest was; 0: not known.
  void count(Activity activity, bool user, u64 rip);

 private:
  void loop();

  u64 period_ns_ = 0;
  std::vector<Sampled*> vcpus_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool sampling_ = false;  // guarded by mutex_
  std::map<std::tuple<Activity, bool, u64>, u64> counts_;  // guarded by mutex_
  u64 lost_ = 0;  // guarded by mutex_
};

}  // namespace pileus::engine::kvm
