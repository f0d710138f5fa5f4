#include "control/leadership.h"

#include "base/log.h"
#include "model/cloud_keys.h"

namespace pileus::control {
namespace {

constexpr std::chrono::milliseconds kLook{1000};  // whether the lead is free

}  // namespace

Leadership::Leadership(state::Store& store, std::string name, std::function<Result<Work>()> begin,
                       std::chrono::seconds lease)
    : store_(store), name_(std::move(name)), begin_(std::move(begin)), lease_(lease), thread_([this] { run(); }) {}

Leadership::~Leadership() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

bool Leadership::leads() const {
  const std::lock_guard lock(mutex_);
  return leads_;
}

bool Leadership::rest(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !woken_.wait_for(lock, time, [this] { return ended_; });
}

void Leadership::run() {
  do {
    {
      const std::lock_guard lock(mutex_);
      if (ended_) return;
      lost_ = false;
    }
    Result<std::unique_ptr<state::LeaseKeeper>> keeper = try_to_lead();
    if (!keeper) log::warn("leadership: {}", keeper.error().message());
    else if (*keeper) lead(**keeper);
  } while (rest(kLook));
}

Result<std::unique_ptr<state::LeaseKeeper>> Leadership::try_to_lead() {
  const std::string key(model::kLeaderKey);
  const std::optional<state::KeyValue> leader = TRY(store_.get(key));
  if (leader && leader->value != name_) return std::unique_ptr<state::LeaseKeeper>();
  std::unique_ptr<state::LeaseKeeper> keeper = TRY(state::LeaseKeeper::start(store_, lease_, [this] {
    const std::lock_guard lock(mutex_);
    lost_ = true;
    woken_.notify_all();
  }));
  state::Transaction claim;
  claim.conditions.push_back(state::Compare::unchanged(key, leader ? leader->mod_revision : 0));
  claim.then.emplace_back(state::Put{key, name_, keeper->id()});
  const state::TransactionResult claimed = TRY(store_.commit(claim));
  if (!claimed.succeeded) keeper.reset();
  return keeper;
}

void Leadership::lead(state::LeaseKeeper& keeper) {
  Result<Work> work = begin_();
  if (!work) {
    log::warn("leadership: {}", work.error().message());
    return;
  }
  log::info("this cloud manager leads");
  std::unique_lock lock(mutex_);
  leads_ = keeper.holds();
  woken_.wait(lock, [this] { return ended_ || lost_; });
  leads_ = false;
  const bool lost = lost_;
  lock.unlock();
  if (lost) log::warn("this cloud manager leads no more");
  work->reset();
}

}  // namespace pileus::control
