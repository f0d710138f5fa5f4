// The stores that the conformance tests run on. Each test is written once, for class Conformance, and uses keys of its
// own only, because etcd is started once for all of them.
#pragma once

#include <gtest/gtest.h>

#include "os/file.h"
#include "state/etcd/store.h"
#include "state/mirror/mirror.h"
#include "state/sqlite/store.h"
#include "state/store.h"
#include "state/testing/etcd_cluster.h"

namespace pileus::state::testing {

enum class Kind { kSqlite, kEtcd, kSqliteMirror, kEtcdMirror };

inline std::string name_of(const ::testing::TestParamInfo<Kind>& info) {
  switch (info.param) {
    case Kind::kSqlite: return "sqlite";
    case Kind::kEtcd: return "etcd";
    case Kind::kSqliteMirror: return "sqlite_mirror";
    case Kind::kEtcdMirror: return "etcd_mirror";
  }
  return "";
}

// A folder for a test, removed at its end.
inline os::TemporaryDirectory make_folder() {
  auto made = os::TemporaryDirectory::create(::testing::TempDir() + "state-");
  CHECK(made.ok());
  return std::move(made).value();
}

inline auto all_stores() {
  return ::testing::Values(Kind::kSqlite, Kind::kEtcd, Kind::kSqliteMirror, Kind::kEtcdMirror);
}

class Conformance : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::kSqlite || GetParam() == Kind::kSqliteMirror) {
      auto opened = sqlite::open({folder_.path(), std::chrono::seconds(60), 4});
      ASSERT_TRUE(opened.ok()) << opened.error().message();
      store_ = std::move(opened).value();
    } else {
      open_etcd();
    }
    if (!store_ || GetParam() == Kind::kSqlite || GetParam() == Kind::kEtcd) return;
    auto mirrored = open_mirror(std::move(store_));
    ASSERT_TRUE(mirrored.ok()) << mirrored.error().message();
    store_ = std::move(mirrored).value();
  }

  Store& store() { return *store_; }
  // A key that no other test uses.
  static std::string key(const std::string& name) { return prefix() + name; }
  static std::string prefix() {
    return std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + "/";
  }
  static KeyRange range() { return KeyRange::prefix(prefix()); }

  // Puts, and gives the revision.
  Revision put(const std::string& name, const std::string& value, LeaseId lease = LeaseId::kNone) {
    const auto done = store().put(key(name), value, lease);
    EXPECT_TRUE(done.ok()) << done.error().message();
    return done.ok() ? done.value() : 0;
  }
  // The value, or "(none)".
  std::string value(const std::string& name) {
    const auto got = store().get(key(name));
    if (!got.ok()) return "error: " + got.error().message();
    return got.value() ? got.value()->value : "(none)";
  }
  // The names of a snapshot's keys, or of the whole range's now: "a b c".
  static std::string names(const std::vector<KeyValue>& entries) {
    std::string all;
    for (const KeyValue& entry : entries) {
      all += (all.empty() ? "" : " ") + entry.key.substr(std::min(entry.key.size(), prefix().size()));
    }
    return all;
  }
  std::string names() {
    const auto got = store().get(Get{range()});
    return got.ok() ? names(got.value().entries) : "error: " + got.error().message();
  }

 private:
  void open_etcd() {
    if (!EtcdCluster::is_installed()) GTEST_SKIP() << "etcd is not installed; tools/deps installs it";
    // One for all tests: starting it takes a second.
    static const std::unique_ptr<EtcdCluster> cluster = EtcdCluster::start(1);
    auto opened = etcd::open({cluster->endpoints(), {}, std::chrono::seconds(60)});
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    store_ = std::move(opened).value();
  }

  const os::TemporaryDirectory folder_ = make_folder();
  std::unique_ptr<Store> store_;
};

}  // namespace pileus::state::testing
