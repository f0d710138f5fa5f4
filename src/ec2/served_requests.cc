#include "ec2/served_requests.h"

#include <fmt/format.h>

#include "http/certificates.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kDigits = 32;           // of a digest: enough to tell signatures apart that nobody can choose
constexpr std::size_t kMost = 500'000;        // in memory; beyond that, those that end first are forgotten
constexpr model::Millis kBetweenClears = 5000;  // so that each has little to do

// "v1/served/", the end in milliseconds, and something random: those that have ended are one range.
std::string key_of(model::Millis good_until) { return fmt::format("{}{:015}", model::kServedPrefix, good_until); }

}  // namespace

Result<bool> ServedRequests::admit(const std::string& signature, model::Millis good_until, model::Millis now) {
  const std::string digest = http::sha256_hex("pileus request " + signature).substr(0, kDigits);
  std::unique_lock lock(mutex_);
  TRY(sync());
  if (const auto before = served_.find(digest); before != served_.end()) return now <= before->second + kAtOnce;
  remember(digest, now, good_until);
  if (!filling_) filling_ = std::make_shared<Batch>();
  const std::shared_ptr<Batch> batch = filling_;
  batch->record.signatures.push_back(digest);
  batch->record.served_at = now;
  batch->record.good_until = std::max(batch->record.good_until, good_until);
  written_.wait(lock, [&] { return batch->written || !writing_; });
  if (!batch->written) {
    // Nobody writes, and whoever wrote before took all but this batch.
    writing_ = true;
    filling_.reset();
    forget_ended(now);
    const bool clear_away = now >= cleared_at_ + kBetweenClears;
    if (clear_away) cleared_at_ = now;
    lock.unlock();
    Result<> outcome = write(batch->record, clear_away, now);
    lock.lock();
    batch->outcome = std::move(outcome);
    batch->written = true;
    writing_ = false;
    written_.notify_all();
  }
  TRY(batch->outcome);
  return true;
}

Result<> ServedRequests::write(const model::ServedRequests& record, bool clear_away, model::Millis now) {
  control::Change change;
  if (clear_away) change.erase({std::string(model::kServedPrefix), key_of(now)});
  change.put(fmt::format("{}-{:016x}", key_of(record.good_until), model::random_id()), model::encode(record));
  TRY(change.commit(store_));
  return {};
}

// What other managers served, and what this one did before it was started anew.
Result<> ServedRequests::sync() {
  const state::KeyRange range = state::KeyRange::prefix(std::string(model::kServedPrefix));
  if (!watch_) {
    const state::Snapshot all = TRY(store_.get(state::Get{range}));
    for (const state::KeyValue& entry : all.entries) {
      remember(TRY(control::decode_entry<model::ServedRequests>(entry)).value);
    }
    watch_ = TRY(store_.watch(range, all.revision + 1));
    return {};
  }
  while (true) {
    const auto update = watch_->next(std::chrono::milliseconds(0));
    if (!update) {
      watch_.reset();
      return sync();
    }
    for (const state::Event& event : update->events) {
      if (event.kind == state::Event::Kind::kDelete) continue;
      remember(TRY(control::decode_entry<model::ServedRequests>(event.entry)).value);
    }
    if (update->events.empty()) return {};
  }
}

void ServedRequests::remember(const model::ServedRequests& record) {
  for (const std::string& digest : record.signatures) remember(digest, record.served_at, record.good_until);
}

void ServedRequests::remember(const std::string& digest, model::Millis served_at, model::Millis good_until) {
  if (!served_.try_emplace(digest, served_at).second) return;
  ends_.emplace(good_until, digest);
  if (served_.size() <= kMost) return;
  served_.erase(ends_.begin()->second);
  ends_.erase(ends_.begin());
}

void ServedRequests::forget_ended(model::Millis now) {
  while (!ends_.empty() && ends_.begin()->first < now) {
    served_.erase(ends_.begin()->second);
    ends_.erase(ends_.begin());
  }
}

}  // namespace pileus::ec2
