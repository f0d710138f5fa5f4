#include "ec2/served_requests.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "http/certificates.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kDigits = 32;     // of a digest: enough to tell signatures apart that nobody can choose
constexpr std::size_t kMost = 500'000;  // in memory; beyond that, those that end first are forgotten
constexpr std::size_t kMostInRecord = 8000;
constexpr std::chrono::milliseconds kBetweenWrites{100};
constexpr model::Millis kBetweenClears = 5000;  // so that each has little to do

// "v1/served/", the end in milliseconds, and something random: those that have ended are one range.
std::string key_of(model::Millis good_until) { return fmt::format("{}{:015}", model::kServedPrefix, good_until); }

}  // namespace

ServedRequests::ServedRequests(state::Store& store) : store_(store), writer_([this] { run(); }) {}

ServedRequests::~ServedRequests() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  writer_.join();
}

Result<bool> ServedRequests::admit(const std::string& signature, model::Millis good_until, model::Millis now) {
  const std::string digest = http::sha256_hex("pileus request " + signature).substr(0, kDigits);
  const std::lock_guard lock(mutex_);
  TRY(sync());
  if (const auto before = served_.find(digest); before != served_.end()) return now <= before->second + kAtOnce;
  forget_ended(now);
  remember(digest, now, good_until);
  if (unwritten_.signatures.size() < kMost) unwritten_.signatures.push_back(digest);
  unwritten_.served_at = now;
  unwritten_.good_until = std::max(unwritten_.good_until, good_until);
  return true;
}

// The thread. What could not be written is tried again with the next.
void ServedRequests::run() {
  model::Millis cleared_at = 0;
  std::unique_lock lock(mutex_);
  while (true) {
    const bool last = stop_.wait_for(lock, kBetweenWrites, [this] { return stopping_; });
    while (!unwritten_.signatures.empty()) {
      model::ServedRequests record = unwritten_;
      record.signatures.resize(std::min(record.signatures.size(), kMostInRecord));
      const bool clear_away = record.served_at >= cleared_at + kBetweenClears;
      lock.unlock();
      const Result<> written = write(record, clear_away);
      lock.lock();
      if (!written) {
        log::warn("api: what was served is not on record yet: {}", written.error().message());
        break;
      }
      if (clear_away) cleared_at = record.served_at;
      auto& signatures = unwritten_.signatures;
      signatures.erase(signatures.begin(), signatures.begin() + static_cast<std::ptrdiff_t>(record.signatures.size()));
      if (signatures.empty()) unwritten_ = {};
    }
    if (last) return;
  }
}

Result<> ServedRequests::write(const model::ServedRequests& record, bool clear_away) {
  control::Change change;
  if (clear_away) change.erase({std::string(model::kServedPrefix), key_of(record.served_at)});
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
