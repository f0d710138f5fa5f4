// Real ext4 images for tests, made by mke2fs from a directory.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/ints.h"

namespace pileus::machine::testing {

inline constexpr const char* kTestUuid = "01234567-89ab-cdef-0123-456789abcdef";

// A directory tree that disappears with the object.
class ExtImage {
 public:
  ExtImage() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pileus-ext-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(root_ / "tree");
  }
  ~ExtImage() { std::filesystem::remove_all(root_); }
  ExtImage(const ExtImage&) = delete;
  ExtImage& operator=(const ExtImage&) = delete;

  void add(const std::string& path, const std::string& content) {
    const auto target = root_ / "tree" / path;
    std::filesystem::create_directories(target.parent_path());
    std::ofstream(target, std::ios::binary) << content;
  }
  void link(const std::string& path, const std::string& target) {
    std::filesystem::create_symlink(target, root_ / "tree" / path);
  }
  // The image's bytes, or empty when mke2fs failed.
  std::vector<u8> make() const {
    const std::string image = (root_ / "image").string();
    const std::string command = "PATH=$PATH:/sbin:/usr/sbin mke2fs -q -t ext4 -U " + std::string(kTestUuid) + " -d '" +
                                (root_ / "tree").string() + "' '" + image + "' 16M";
    if (std::system(command.c_str()) != 0) return {};  // NOLINT(concurrency-mt-unsafe)
    std::ifstream file(image, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::filesystem::path root_;
};

}  // namespace pileus::machine::testing
