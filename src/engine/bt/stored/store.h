// Store: the translated blocks that outlive a VM: those of the file, and those that this VM adds to it.
//
// A thread of its own writes the file, now and then and at the end; vCPUs never wait for that. Of several VMMs with one file
// one writes at a time, and takes over what the others have written.
#pragma once

#include <atomic>
#include <condition_variable>
#include <ctime>
#include <filesystem>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/bt/stored/file.h"
#include "engine/bt/stored/journal.h"

namespace pileus::engine::bt::stored {

class Store {
 public:
  // Opens the file if there is one that is good. `mutex` is CodeCache::mutex(), which guards what is said so below.
  Store(std::filesystem::path path, const Fingerprint& fingerprint, std::mutex& mutex);
  ~Store();  // writes what is new

  // Both with the mutex held. The entry that fits, good until the mutex is let go of.
  std::optional<Entry> find(const Wanted& wanted);
  void add(const Wanted& wanted, const Emitted& emitted, const CodeCache& code) { journal_.add(wanted, emitted, code); }
  // The entry that find() answered last cannot be used.
  void refuse();

  // Writes the file if there is enough that is new, and nobody else is writing it. Not from several threads at once.
  void save() { save(nullptr); }

 private:
  // Whether the journal is worth a new file; with the mutex held.
  bool is_worth_saving() const;
  // Both give up when `*stop` becomes true.
  void save(const std::atomic<bool>* stop);
  Result<> write(TranslationFile* before, const std::atomic<bool>* stop);
  // The file as others may have left it; null: none of ours. Answers false where it is not ours to replace.
  bool open_present(std::unique_ptr<TranslationFile>* out) const;
  void run();

  const std::filesystem::path path_;
  const Fingerprint fingerprint_;
  const std::time_t started_;
  std::mutex& mutex_;
  std::unique_ptr<TranslationFile> file_;  // guarded by mutex_
  Journal frozen_;  // is being written: changed with mutex_ held, by whoever saves
  Journal journal_;  // guarded by mutex_
  bool found_in_file_ = false;  // where the last entry was found; guarded by mutex_
  bool told_of_damage_ = false;  // guarded by mutex_

  std::mutex stop_mutex_;
  std::condition_variable stopping_;
  std::atomic<bool> stop_ = false;  // written with stop_mutex_ held
  std::thread thread_;
};

}  // namespace pileus::engine::bt::stored
