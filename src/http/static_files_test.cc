#include "http/static_files.h"

#include <gtest/gtest.h>

#include "os/file.h"

namespace pileus::http {
namespace {

class StaticFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "static-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    ASSERT_TRUE(os::make_directories(folder() / "assets"));
    write(folder() / "index.html", "<p>hello");
    write(folder() / "assets/app-1a2b.js", "run()");
    write(root_ / "secret", "nobody's");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::filesystem::path folder() const { return root_ / "site"; }
  static void write(const std::filesystem::path& file, const std::string& text) {
    ASSERT_TRUE(os::replace_file(file, text));
  }
  static Response get(const StaticFiles& files, const std::string& path, Headers headers = {}) {
    Request request;
    request.headers = std::move(headers);
    return files.answer(request, path);
  }

  std::filesystem::path root_;
};

TEST_F(StaticFilesTest, ServesWhatIsThere) {
  const StaticFiles files = StaticFiles::load(folder()).value();
  for (const char* path : {"", "index.html"}) {
    const Response page = get(files, path);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.body, "<p>hello");
    EXPECT_EQ(page.headers.get("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(page.headers.get("cache-control"), "no-cache");
    EXPECT_NE(page.headers.get("content-security-policy").find("script-src 'self';"), std::string::npos);
  }
  const Response script = get(files, "assets/app-1a2b.js");
  EXPECT_EQ(script.body, "run()");
  EXPECT_NE(script.headers.get("cache-control").find("immutable"), std::string::npos);
}

TEST_F(StaticFilesTest, ServesNothingElse) {
  std::filesystem::create_symlink(root_ / "secret", folder() / "link");
  const StaticFiles files = StaticFiles::load(folder()).value();
  for (const char* path : {"../secret", "assets/../../secret", "%2e%2e/secret", "/etc/passwd", "assets", "assets/", ".",
                           "missing.js", "//index.html"}) {
    EXPECT_EQ(get(files, path).status, 404) << path;
  }
}

TEST_F(StaticFilesTest, TellsABrowserThatItHasTheFile) {
  const StaticFiles files = StaticFiles::load(folder()).value();
  const std::string tag(get(files, "").headers.get("etag"));
  const Response again = get(files, "", {{"If-None-Match", tag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_TRUE(again.body.empty());
  EXPECT_EQ(get(files, "", {{"If-None-Match", "\"other\""}}).status, 200);
}

TEST_F(StaticFilesTest, WantsAnIndex) {
  std::filesystem::remove(folder() / "index.html");
  EXPECT_EQ(StaticFiles::load(folder()).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(StaticFiles::load(root_ / "nowhere").error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace pileus::http
