#include "image/recipe.h"

#include <array>
#include <sstream>

// Defined by recipes.S: the files of recipes/, each ended by a zero byte.
extern "C" {
extern const char pileus_recipe_assemble[];
extern const char pileus_recipe_debian_early[];
extern const char pileus_recipe_debian_setup[];
extern const char pileus_recipe_debian_11_packages[];
extern const char pileus_recipe_debian_12_packages[];
extern const char pileus_recipe_debian_12_programs_packages[];
extern const char pileus_recipe_debian_13_packages[];
}

namespace pileus::image {

std::string_view assemble_script() { return pileus_recipe_assemble; }

namespace {

Recipe debian(std::string_view name, std::string_view description, std::string_view suite, std::string_view packages) {
  return {
      .name = name,
      .description = description,
      .suite = suite,
      .login_user = "debian",
      .disk_bytes = 2 * kGiB,
      .packages = packages,
      .early_hook = pileus_recipe_debian_early,
      .setup_hook = pileus_recipe_debian_setup,
  };
}

Recipe with_disk(Recipe recipe, u64 bytes) {
  recipe.disk_bytes = bytes;
  return recipe;
}

}  // namespace

std::span<const Recipe> recipes() {
  static const std::array kRecipes = {
      debian("debian-11", "Debian 11 (bullseye), cloud kernel, systemd, OpenSSH, cloud-init", "bullseye",
             pileus_recipe_debian_11_packages),
      debian("debian-12", "Debian 12 (bookworm), cloud kernel, systemd, OpenSSH, cloud-init", "bookworm",
             pileus_recipe_debian_12_packages),
      with_disk(
          debian("debian-12-programs", "debian-12 with openssl, xz, gzip, Python, SQLite and g++, for bench/programs",
                 "bookworm", pileus_recipe_debian_12_programs_packages),
          3 * kGiB),
      debian("debian-13", "Debian 13 (trixie), cloud kernel, systemd, OpenSSH, cloud-init", "trixie",
             pileus_recipe_debian_13_packages),
      debian("debian-sid", "Debian unstable, cloud kernel, systemd, OpenSSH, cloud-init", "sid",
             pileus_recipe_debian_13_packages),
  };
  return kRecipes;
}

const Recipe* find_recipe(std::string_view name) {
  for (const Recipe& recipe : recipes()) {
    if (recipe.name == name) return &recipe;
  }
  return nullptr;
}

std::vector<std::string> parse_package_list(std::string_view text) {
  std::vector<std::string> names;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string name;
    if (words >> name) names.push_back(name);
  }
  return names;
}

}  // namespace pileus::image
