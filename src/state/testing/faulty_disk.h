// FaultyDisk: lets SQLite's writes fail at one chosen point. It stands in for SQLite's own way to files (its VFS) in the
// whole test program, and passes everything on until it is armed.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstring>

#include "base/result.h"

namespace pileus::state::testing {

class FaultyDisk {
 public:
  enum class Fault {
    kFull,  // writing fails for lack of space, fsync works
    kBroken  // everything fails: nobody knows what reached the disk
  };

  static void install() {
    static FaultyDisk disk;
    static_cast<void>(disk);
  }

  // From the `point`th write, truncation or fsync on, counted from 1, for `length` of them.
  static void arm(int point, int length, Fault fault) {
    fault_ = fault;
    first_ = point;
    last_ = length > 1'000'000 - point ? 1'000'000 : point + length - 1;
    passed_ = 0;
  }
  static void disarm() { first_ = 0; }
  // How many points have been passed since arm().
  static int passed() { return passed_; }

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* real;  // the rest of the memory
  };

  FaultyDisk() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "faulty";
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = [](sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
      return open(name, file, flags, out);
    };
    CHECK(sqlite3_vfs_register(&vfs_, 1) == SQLITE_OK);
  }

  static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

  static bool fails() {
    if (first_ == 0) return false;
    const int point = ++passed_;
    return point >= first_ && point <= last_;
  }

  static int open(sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
    auto* mine = reinterpret_cast<File*>(file);
    mine->base.pMethods = nullptr;
    mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
    const int result = real_->xOpen(real_, name, mine->real, flags, out);
    if (mine->real->pMethods != nullptr) mine->base.pMethods = methods();
    return result;
  }

  static const sqlite3_io_methods* methods() {
    static const sqlite3_io_methods kMethods = [] {
      sqlite3_io_methods all{};
      all.iVersion = 2;  // with shared memory, without mapped files
      all.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
      all.xRead = [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
        return real(f)->pMethods->xRead(real(f), to, n, at);
      };
      all.xWrite = [](sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
        if (fails()) return fault_ == Fault::kFull ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        return real(f)->pMethods->xWrite(real(f), from, n, at);
      };
      all.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
        if (fails() && fault_ == Fault::kBroken) return SQLITE_IOERR_TRUNCATE;
        return real(f)->pMethods->xTruncate(real(f), size);
      };
      all.xSync = [](sqlite3_file* f, int how) {
        if (fails() && fault_ == Fault::kBroken) return SQLITE_IOERR_FSYNC;
        return real(f)->pMethods->xSync(real(f), how);
      };
      all.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return real(f)->pMethods->xFileSize(real(f), size); };
      all.xLock = [](sqlite3_file* f, int how) { return real(f)->pMethods->xLock(real(f), how); };
      all.xUnlock = [](sqlite3_file* f, int how) { return real(f)->pMethods->xUnlock(real(f), how); };
      all.xCheckReservedLock = [](sqlite3_file* f, int* out) {
        return real(f)->pMethods->xCheckReservedLock(real(f), out);
      };
      all.xFileControl = [](sqlite3_file* f, int what, void* with) {
        return real(f)->pMethods->xFileControl(real(f), what, with);
      };
      all.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
      all.xDeviceCharacteristics = [](sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); };
      all.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
        if (extend != 0 && fails()) return fault_ == Fault::kFull ? SQLITE_FULL : SQLITE_IOERR_SHMMAP;
        return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
      };
      all.xShmLock = [](sqlite3_file* f, int at, int n, int flags) {
        return real(f)->pMethods->xShmLock(real(f), at, n, flags);
      };
      all.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
      all.xShmUnmap = [](sqlite3_file* f, int erase) { return real(f)->pMethods->xShmUnmap(real(f), erase); };
      return all;
    }();
    return &kMethods;
  }

  static inline sqlite3_vfs* real_ = nullptr;
  static inline std::atomic<int> first_ = 0;
  static inline std::atomic<int> last_ = 0;
  static inline std::atomic<int> passed_ = 0;
  static inline std::atomic<Fault> fault_ = Fault::kFull;
  sqlite3_vfs vfs_{};
};

}  // namespace pileus::state::testing
