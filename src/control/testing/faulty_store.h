// A store whose n-th call fails as if the program had been killed at that moment: before the call reached the store, or
// after it was done but before the answer came.
#pragma once

#include <atomic>

#include "state/store.h"

namespace pileus::control::testing {

struct Injector {
  enum class When { kBefore, kAfter };
  std::atomic<u64> calls{0};
  u64 fail_at = 0;  // 0: never; the first call is 1
  When when = When::kBefore;
  bool fired() const { return fail_at != 0 && calls >= fail_at; }
};

class FaultyStore : public state::Store {
 public:
  FaultyStore(state::Store& store, Injector& injector) : store_(store), injector_(injector) {}

  Result<state::TransactionResult> commit(const state::Transaction& transaction) override {
    return call<Result<state::TransactionResult>>([&] { return store_.commit(transaction); });
  }
  using state::Store::get;
  Result<state::Snapshot> get(const state::Get& what, state::Revision revision) override {
    return call<Result<state::Snapshot>>([&] { return store_.get(what, revision); });
  }
  Result<std::unique_ptr<state::Watch>> watch(const state::KeyRange& range, state::Revision first) override {
    return call<Result<std::unique_ptr<state::Watch>>>([&] { return store_.watch(range, first); });
  }
  Result<state::Lease> grant_lease(std::chrono::seconds ttl) override {
    return call<Result<state::Lease>>([&] { return store_.grant_lease(ttl); });
  }
  Result<std::chrono::seconds> keep_alive(state::LeaseId lease) override {
    return call<Result<std::chrono::seconds>>([&] { return store_.keep_alive(lease); });
  }
  Result<> revoke_lease(state::LeaseId lease) override {
    return call<Result<>>([&] { return store_.revoke_lease(lease); });
  }
  Result<> compact(state::Revision revision) override {
    return call<Result<>>([&] { return store_.compact(revision); });
  }

 private:
  template <typename Answer, typename Function>
  Answer call(Function function) {
    const bool fails = ++injector_.calls == injector_.fail_at;
    if (fails && injector_.when == Injector::When::kBefore) return killed();
    Answer answer = function();
    if (fails) return killed();
    return answer;
  }
  static Error killed() { return Error(ErrorCode::kTimeout, "killed here"); }

  state::Store& store_;
  Injector& injector_;
};

}  // namespace pileus::control::testing
