#include "engine/bt/stored/store.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/log.h"
#include "engine/bt/stored/file_writer.h"
#include "os/file.h"

namespace pileus::engine::bt::stored {

namespace {

constexpr std::chrono::seconds kFirstSave{20}, kNextSave{600};
constexpr u64 kFileLimit = 128 * kMiB;
constexpr u64 kWorthShare = 32;  // what is new has to be that part of the file, at least
constexpr u64 kSmall = 4 * kMiB;  // or the file so small that writing it is nothing

}  // namespace

Store::Store(std::filesystem::path path, const Fingerprint& fingerprint, std::mutex& mutex)
    : path_(std::move(path)), fingerprint_(fingerprint), started_(std::time(nullptr)), mutex_(mutex) {
  Result<std::unique_ptr<TranslationFile>> file = TranslationFile::open(path_, fingerprint_);
  if (file) {
    file_ = std::move(*file);
    log::info("translations: {} blocks in {}", file_->entry_count(), path_.string());
  } else if (file.error().code() != ErrorCode::kNotFound) {
    log::warn("translations: {} is not used: {}", path_.string(), file.error().message());
  }
  thread_ = std::thread([this] { run(); });
}

Store::~Store() {
  {
    const std::lock_guard lock(stop_mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  thread_.join();
  save();
}

void Store::run() {
  ::setpriority(PRIO_PROCESS, 0, 19);  // of this thread alone
  std::unique_lock lock(stop_mutex_);
  std::chrono::seconds wait = kFirstSave;
  while (!stopping_.wait_for(lock, wait, [this] { return stop_.load(); })) {
    lock.unlock();
    save(&stop_);  // the end waits for this thread, which may get little time: what it has begun is then done there
    ::malloc_trim(0);  // the lists of 20 MiB that a file takes are not needed again for minutes
    lock.lock();
    wait = kNextSave;
  }
}

std::optional<Entry> Store::find(const Wanted& wanted) {
  found_in_file_ = true;
  std::optional<Entry> entry;
  if (file_) entry = file_->find(wanted);
  if (file_ && file_->damaged() != 0 && !told_of_damage_) {
    told_of_damage_ = true;
    log::warn("translations: {} is damaged: blocks that are not whole are translated anew", path_.string());
  }
  if (entry) return entry;
  found_in_file_ = false;
  entry = frozen_.find(wanted);
  return entry ? entry : journal_.find(wanted);
}

void Store::refuse() {
  CHECK(found_in_file_);  // what this process has encoded can be placed
  file_->refuse();
}

bool Store::is_worth_saving() const {
  return !journal_.empty() && (!file_ || file_->bytes() <= kSmall || journal_.bytes() >= file_->bytes() / kWorthShare);
}

bool Store::open_present(std::unique_ptr<TranslationFile>* out) const {
  Result<std::unique_ptr<TranslationFile>> present = TranslationFile::open(path_, fingerprint_);
  if (present) {
    *out = std::move(*present);
    return true;
  }
  // A newer Pileus may have begun to use it meanwhile.
  struct stat status{};
  return present.error().code() != ErrorCode::kUnsupported || ::stat(path_.c_str(), &status) != 0 ||
         status.st_mtime < started_;
}

Result<> Store::write(TranslationFile* before, const std::atomic<bool>* stop) {
  u64 count = before != nullptr ? before->entry_count() : 0;
  frozen_.for_each([&](std::span<const u8>) { ++count; });
  FileWriter writer = TRY(FileWriter::create(path_, count));
  Result<> done;
  const auto add = [&](std::span<const u8> entry) {
    if (done && stop != nullptr && *stop) done = Error(ErrorCode::kBusy, "the VM ends");
    if (done) done = writer.add(entry, kFileLimit);
  };
  // What nobody has asked for lately goes last, and is lost first.
  const bool full = before != nullptr && before->bytes() + frozen_.bytes() > kFileLimit;
  if (before != nullptr) {
    before->for_each([&](std::span<const u8> entry, bool found) {
      if (found || !full) add(entry);
    });
  }
  frozen_.for_each(add);
  if (full) before->for_each([&](std::span<const u8> entry, bool) { add(entry); });
  TRY(std::move(done));
  return writer.finish(fingerprint_);
}

void Store::save(const std::atomic<bool>* stop) {
  {
    const std::lock_guard lock(mutex_);
    if (frozen_.empty() && !is_worth_saving()) return;
  }
  const Result<> folder = os::make_directories(path_.parent_path());
  if (!folder) {
    log::warn("translations are not kept: {}", folder.error().message());
    return;
  }
  const Result<os::FileLock> lock = os::FileLock::try_acquire(path_.string() + ".lock");
  if (!lock) return;  // somebody else writes it: another time
  std::unique_ptr<TranslationFile> before;
  if (!open_present(&before)) return;
  {
    const std::lock_guard guard(mutex_);
    frozen_.take(journal_);
    if (before && file_) before->take_found(*file_);
  }
  const Result<> written = write(before.get(), stop);
  if (stop != nullptr && *stop) return;
  if (!written) log::warn("translations: {}", written.error().message());
  Result<std::unique_ptr<TranslationFile>> after = TranslationFile::open(path_, fingerprint_);
  // Given back when vCPUs need not wait for it.
  std::unique_ptr<TranslationFile> old_file;
  Journal old_journal;
  const std::lock_guard guard(mutex_);
  if (after) old_file = std::exchange(file_, std::move(*after));
  std::swap(frozen_, old_journal);
}

}  // namespace pileus::engine::bt::stored
