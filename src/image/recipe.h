// Recipe: what `pileus image build NAME` installs and how it is made into an image. Kept as data in
// recipes/.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"

namespace pileus::image {

struct Recipe {
  std::string_view name;         // "debian-12"
  std::string_view description;  // for people
  std::string_view suite;        // of the Debian archive
  std::string_view login_user;   // the user that cloud-init makes
  u64 disk_bytes;                // of the image; a VM's disk may be larger
  std::string_view packages;     // one a line, '#' comments
  std::string_view early_hook;   // shell; $1 is the root; before the packages
  std::string_view setup_hook;  // shell; $1 is the root; after the packages; writes /etc/fstab with UUID=
};

// Makes a disk out of an unpacked-to-be root: shell, `sh -c SCRIPT assemble FOLDER BYTES`.
std::string_view assemble_script();

// All recipes, by name.
std::span<const Recipe> recipes();

// nullptr when there is none of that name.
const Recipe* find_recipe(std::string_view name);

// The names in a package list: the first word of each line, without comments.
std::vector<std::string> parse_package_list(std::string_view text);

}  // namespace pileus::image
