#include "host/layer_worker.h"

#include <algorithm>

#include "base/log.h"
#include "host/capacity.h"
#include "host/layer_server.h"

namespace pileus::host {
namespace {

constexpr std::chrono::seconds kGivenUp{60};  // nobody has asked for so long
constexpr std::chrono::seconds kRetry{5};
constexpr std::chrono::seconds kPatience{60};  // for one answer

LayerWorker::State is_there(std::string id) {
  LayerWorker::State state;
  state.id = std::move(id);
  state.part = 1;
  return state;
}

}  // namespace

LayerWorker::LayerWorker(store::LayerFolder layers, std::unique_ptr<http::Client> client)
    : layers_(std::move(layers)), client_(std::move(client)), thread_([this] { work(); }) {}

LayerWorker::~LayerWorker() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  woken_.notify_all();
  thread_.join();
}

LayerWorker::State LayerWorker::adopt(const std::string& file, bool raw) {
  if (std::optional<std::string> id = layers_.id_of_file(file)) return is_there(*std::move(id));
  return ask(file, {.file = file, .raw = raw, .id = "", .sources = {}, .state = {}, .asked = {}, .next_try = {}});
}

LayerWorker::State LayerWorker::fetch(const std::string& id, const std::vector<std::string>& sources) {
  if (layers_.has(id)) return is_there(id);
  return ask(id, {.file = "", .raw = false, .id = id, .sources = sources, .state = {}, .asked = {}, .next_try = {}});
}

LayerWorker::State LayerWorker::ask(const std::string& key, Job job) {
  const std::lock_guard lock(mutex_);
  Job& known = jobs_.try_emplace(key, job).first->second;
  known.sources = std::move(job.sources);
  known.asked = std::chrono::steady_clock::now();
  woken_.notify_all();
  State state = known.state;
  if (state.id) jobs_.erase(key);
  return state;
}

bool LayerWorker::is_wanted(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(key);
  return !ended_ && found != jobs_.end() && std::chrono::steady_clock::now() - found->second.asked < kGivenUp;
}

bool LayerWorker::tell_progress(const std::string& key, double part) {
  if (!is_wanted(key)) return false;
  const std::lock_guard lock(mutex_);
  if (const auto found = jobs_.find(key); found != jobs_.end()) {
    found->second.state.part = part;
    found->second.state.failure.clear();  // of the try before this one
  }
  return true;
}

void LayerWorker::work() {
  std::unique_lock lock(mutex_);
  while (!ended_) {
    const Time now = std::chrono::steady_clock::now();
    std::erase_if(jobs_, [&](const auto& each) { return now - each.second.asked >= kGivenUp; });
    const auto due = [&](const auto& each) { return !each.second.state.id && each.second.next_try <= now; };
    const auto next = std::ranges::find_if(jobs_, due);
    if (next == jobs_.end()) {
      woken_.wait_for(lock, std::chrono::seconds(1));
      continue;
    }
    const std::string key = next->first;
    const Job job = next->second;
    lock.unlock();
    const Result<std::string> done = carry_out(key, job);
    lock.lock();
    news_ = true;
    const auto found = jobs_.find(key);
    if (found == jobs_.end()) continue;
    if (done) {
      found->second.state = is_there(*done);
    } else {
      log::warn("layer {}: {}", key, done.error().message());
      found->second.state.failure = done.error().message();
      found->second.state.why = done.error().code();
      found->second.next_try = std::chrono::steady_clock::now() + kRetry;
    }
  }
}

Result<std::string> LayerWorker::carry_out(const std::string& key, const Job& job) {
  if (job.file.empty()) return fetch_now(key, job);
  return layers_.adopt(job.file, job.raw, [&](double part) { return tell_progress(key, part); });
}

Result<std::string> LayerWorker::fetch_now(const std::string& key, const Job& job) {
  Error last(ErrorCode::kNotFound, "no host that has it can be reached");
  for (const std::string& source : job.sources) {
    Result<std::string> done = fetch_from(key, job.id, source);
    if (done || done.error().code() == ErrorCode::kGone) return done;
    // That a host cannot be reached says less than what went wrong with another.
    if (last.code() == ErrorCode::kNotFound) last = std::move(done).error();
  }
  return last;
}

Result<std::string> LayerWorker::get(const std::string& url) {
  http::ClientRequest request;
  request.url = url;
  request.timeout = kPatience;
  request.repeatable = true;
  Result<http::Response> response = client_->send(request);
  if (!response) return Error(ErrorCode::kNotFound, response.error().message());
  if (response->status == 200) return std::move(response->body);
  return Error(ErrorCode::kNotFound, url + ": answered " + std::to_string(response->status));
}

// What comes is held against the id, whoever sends it.
Result<std::string> LayerWorker::fetch_from(const std::string& key, const std::string& id, const std::string& source) {
  const std::string url = source + std::string(kLayersPath) + id;
  std::optional<std::string> manifest = layers_.wanted_manifest(id);
  if (!manifest) manifest = TRY(get(url));
  {
    store::LayerDraft draft = TRY(layers_.receive(id, *manifest));
    while (draft.received() < draft.expected()) {
      TRY(check_room(layers_.path(), (draft.expected() - draft.received()) * store::kCluster));
      const std::string data = TRY(get(url + "/data?from=" + std::to_string(draft.received())));
      if (data.empty() || data.size() % store::kCluster != 0)
        return Error(ErrorCode::kCorrupt, url + ": sent too little");
      for (u64 at = 0; at < data.size() && draft.received() < draft.expected(); at += store::kCluster) {
        TRY(draft.add({reinterpret_cast<const u8*>(data.data()) + at, store::kCluster}).with(source));
      }
      const double part = static_cast<double>(draft.received()) / static_cast<double>(draft.expected());
      if (!tell_progress(key, part)) return Error(ErrorCode::kGone, "nobody wants it any more");
    }
    TRY(draft.finish());
  }
  TRY(layers_.accept(id));
  log::info("fetched layer {} from {}", id, source);
  return id;
}

}  // namespace pileus::host
