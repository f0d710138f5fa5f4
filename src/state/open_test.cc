#include "state/open.h"

#include "state/testing/stores.h"

namespace pileus::state {
namespace {

TEST(OpenStore, RefusesWhatNamesNone) {
  for (const char* where : {"", "sqlite:", "sqlite", "/tmp/x", "etcd://", "etcd://a", "etcd://a:", "etcd://:1",
                            "etcd://a:1,", "etcd://a:1,,b:2", "etcd://a:x", "etcd://a:123456", "etcd://a b:1",
                            "etcd://a/b:1", "etcd://a@b:1", "http://a:1"}) {
    const auto opened = open_store(where);
    ASSERT_FALSE(opened.ok()) << where;
    EXPECT_EQ(opened.error().code(), ErrorCode::kInvalid) << where;
  }
}

TEST(OpenStore, OpensWhatIsNamed) {
  const auto folder = testing::make_folder();
  const std::string where = "sqlite:" + (folder.path() / "new" / "deep").string();
  EXPECT_TRUE(open_store(where).value()->put("a", "1").ok());
  EXPECT_EQ(open_store(where).value()->get("a").value()->value, "1");
  // Nobody has to be there yet.
  EXPECT_TRUE(open_store("etcd://127.0.0.1:1,[::1]:2,etcd.example:2379").ok());
  EXPECT_TRUE(open_store("etcds://127.0.0.1:1").ok());
}

}  // namespace
}  // namespace pileus::state
