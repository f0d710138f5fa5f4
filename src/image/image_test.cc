#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "image/library.h"
#include "image/package_sources.h"
#include "image/recipe.h"
#include "image/seed.h"
#include "os/child_process.h"

namespace pileus::image {
namespace {

TEST(Name, IsAHostNameAndNeverAPath) {
  for (const char* good : {"a", "debian-12", "web.1", "0"}) EXPECT_TRUE(check_name(good).ok()) << good;
  for (const char* bad : {"", ".", "..", "-a", ".a", "a/b", "../a", "A", "a b", "a\n", "\xc3\xa4"}) {
    EXPECT_FALSE(check_name(bad).ok()) << bad;
  }
  EXPECT_TRUE(check_name(std::string(63, 'a')).ok());
  EXPECT_FALSE(check_name(std::string(64, 'a')).ok());
}

TEST(ImageInfo, ComesBackAsWritten) {
  ImageInfo info;
  info.name = "debian-12";
  info.description = "Debian";
  info.login_user = "debian";
  info.root_uuid = "u";
  info.disk_bytes = 2 * kGiB;
  info.packages = {"a 1", "b 2"};
  const ImageInfo read = parse_image_info(encode_image_info(info)).value();
  EXPECT_EQ(encode_image_info(read), encode_image_info(info));
}

TEST(ImageInfo, RefusesDamage) {
  for (const char* text : {"", "{}", "[]", R"({"name":""})", R"({"name":"a"})", R"({"name":"a","disk_bytes":-1})",
                           R"({"name":"a","disk_bytes":"1"})", R"({"name":1,"disk_bytes":1})"}) {
    EXPECT_FALSE(parse_image_info(text).ok()) << text;
  }
}

TEST(Library, KnowsOnlyWholeImages) {
  const auto folder = os::TemporaryDirectory::create(testing::TempDir() + "library-").value();
  Library library = Library::open(folder.path() / "deep/er").value();
  EXPECT_TRUE(library.list().empty());
  EXPECT_EQ(library.find("debian-12").error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(library.find("../images").ok());
  ASSERT_TRUE(os::make_directories(library.images() / "half").ok());
  ASSERT_TRUE(os::make_directories(library.images() / ".whole.building-abc").ok());
  EXPECT_TRUE(library.list().empty());

  ImageInfo info;
  info.name = "whole";
  info.disk_bytes = 1;
  ASSERT_TRUE(os::make_directories(library.images() / "whole").ok());
  ASSERT_TRUE(os::replace_file(library.images() / "whole/image.json", encode_image_info(info)).ok());
  ASSERT_EQ(library.list().size(), 1U);
  ASSERT_TRUE(library.remove("whole").ok());
  EXPECT_TRUE(library.list().empty());
  EXPECT_FALSE(library.remove("whole").ok());
}

TEST(PackageSources, TakesTheSuiteAndItsUpdates) {
  const std::string text =
      "# comment\n"
      "deb http://mirror.example/debian bookworm main contrib\n"
      "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm-updates main\n"
      "deb http://mirror.example/debian bookworm-backports main\n"
      "deb http://mirror.example/debian bookworm contrib\n"
      "deb-src http://mirror.example/debian bookworm main\n"
      "deb http://other.example/apt cloud-sdk-bookworm main\n"
      "deb http://mirror.example/debian trixie main\n"
      "deb\n"
      "deb [\n";
  EXPECT_EQ(select_sources(text, false, "bookworm"),
            "deb http://mirror.example/debian bookworm main contrib\n"
            "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm-updates main\n");
}

TEST(PackageSources, TakesStanzas) {
  const std::string good =
      "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n"
      "Components: main\n";
  const std::string text = "# a comment\n" + good + "\n\nTypes: deb-src\nSuites: bookworm\nComponents: main\n\n" +
                           "Enabled: no\n" + good + "\nTypes: deb\nSuites: nodistro\nComponents: main\n";
  EXPECT_EQ(select_sources(text, true, "bookworm"), good + "\n");
}

TEST(PackageSources, RetargetsLines) {
  const std::string text =
      "deb [arch=amd64] http://mirror.example/bookworm bookworm main\n"
      "deb http://mirror.example/debian bookworm-updates main\n";
  EXPECT_EQ(retarget_sources(text, false, "bookworm", "trixie"),
            "deb [arch=amd64] http://mirror.example/bookworm trixie main\n"
            "deb http://mirror.example/debian trixie-updates main\n");
  EXPECT_EQ(retarget_sources(text, false, "bookworm", "sid"),
            "deb [arch=amd64] http://mirror.example/bookworm sid main\n");
}

TEST(PackageSources, RetargetsStanzas) {
  const std::string text =
      "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n\n"
      "Types: deb\nURIs: http://mirror.example/security\nSuites: bookworm-security\nComponents: main\n\n";
  EXPECT_EQ(retarget_sources(text, true, "bookworm", "bullseye"),
            "Types: deb\nURIs: http://mirror.example/debian\nSuites: bullseye bullseye-updates\nComponents: main\n\n"
            "Types: deb\nURIs: http://mirror.example/security\nSuites: bullseye-security\nComponents: main\n\n");
  EXPECT_EQ(retarget_sources(text, true, "bookworm", "sid"),
            "Types: deb\nURIs: http://mirror.example/debian\nSuites: sid\nComponents: main\n\n");
}

TEST(PackageSources, KnowsTheHostsOwnSuite) {
  EXPECT_EQ(own_suite("NAME=\"Debian\"\nVERSION_CODENAME=bookworm\nID=debian\n"), "bookworm");
  EXPECT_EQ(own_suite("ID=ubuntu\nVERSION_CODENAME=jammy\n"), "");
}

TEST(Recipe, Debian12IsComplete) {
  const Recipe* recipe = find_recipe("debian-12");
  ASSERT_NE(recipe, nullptr);
  EXPECT_EQ(find_recipe("debian-7"), nullptr);
  const std::vector<std::string> packages = parse_package_list(recipe->packages);
  for (const char* needed : {"linux-image-cloud-amd64", "openssh-server", "cloud-init", "systemd-sysv"}) {
    EXPECT_NE(std::ranges::find(packages, needed), packages.end()) << needed;
  }
  EXPECT_NE(recipe->setup_hook.find("grub.cfg"), std::string_view::npos);
  EXPECT_NE(assemble_script().find("mke2fs"), std::string_view::npos);
}

TEST(Recipe, PackageListHasComments) {
  EXPECT_EQ(parse_package_list("# x\n\n a # why\nb\n"), (std::vector<std::string>{"a", "b"}));
}

TEST(Seed, MetaDataIsJson) {
  SeedContent content;
  content.instance_id = "i-1";
  content.host_name = "web";
  content.ssh_keys = {"ssh-ed25519 AAAA it's \"me\": {}"};
  const auto object = nlohmann::json::parse(encode_meta_data(content));
  EXPECT_EQ(object["local-hostname"], "web");
  EXPECT_EQ(object["instance-id"], "i-1");
  EXPECT_EQ(object["public-keys"][0], content.ssh_keys[0]);
}

TEST(Seed, UserDataIsTheUsers) {
  SeedContent content;
  EXPECT_TRUE(encode_user_data(content).starts_with("#cloud-config\n"));
  content.user_data = "#!/bin/sh\necho hi\n";
  EXPECT_EQ(encode_user_data(content), content.user_data);
}

TEST(Seed, PublicKeys) {
  EXPECT_EQ(parse_public_key("# mine\n\nssh-ed25519 AAAA me\r\n").value(), "ssh-ed25519 AAAA me");
  for (const char* bad : {"", "hello", "ssh-ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"}) {
    EXPECT_FALSE(parse_public_key(bad).ok()) << bad;
  }
  EXPECT_NE(parse_public_key("-----BEGIN OPENSSH PRIVATE KEY-----\n").error().message().find(".pub"),
            std::string::npos);
}

TEST(Seed, IsAnIsoLabelledCidata) {
  if (!os::find_program("xorrisofs")) GTEST_SKIP() << "xorriso is not installed";
  const auto folder = os::TemporaryDirectory::create(testing::TempDir() + "seed-").value();
  SeedContent content;
  content.instance_id = "i-1";
  content.user_data = "#!/bin/sh\n: find me\n";
  const std::filesystem::path file = folder.path() / "seed.iso";
  ASSERT_TRUE(write_seed(content, file).ok());
  const std::string iso = os::read_file(file).value();
  constexpr std::size_t kVolumeId = 16 * 2048 + 40;  // ECMA-119, 8.4
  EXPECT_EQ(iso.substr(kVolumeId, 7), "CIDATA ");
  EXPECT_NE(iso.find(": find me"), std::string::npos);
  EXPECT_EQ(iso.size() % 512, 0U);
  // Nothing half-made stays beside it.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

}  // namespace
}  // namespace pileus::image
