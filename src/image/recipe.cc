#include "image/recipe.h"

#include <array>
#include <sstream>

// Defined by recipes.S: the files of recipes/, each ended by a zero byte.
extern "C" {
extern const char pileus_recipe_assemble[];
extern const char pileus_recipe_debian_12_packages[];
extern const char pileus_recipe_debian_12_programs_packages[];
extern const char pileus_recipe_debian_12_early[];
extern const char pileus_recipe_debian_12_setup[];
}

namespace pileus::image {

std::string_view assemble_script() { return pileus_recipe_assemble; }

std::span<const Recipe> recipes() {
  static const std::array kRecipes = {
      Recipe{
          .name = "debian-12",
          .description = "Debian 12 (bookworm), cloud kernel, systemd, OpenSSH, cloud-init",
          .suite = "bookworm",
          .login_user = "debian",
          .disk_bytes = 2 * kGiB,
          .packages = pileus_recipe_debian_12_packages,
          .early_hook = pileus_recipe_debian_12_early,
          .setup_hook = pileus_recipe_debian_12_setup,
      },
      Recipe{
          .name = "debian-12-programs",
          .description = "debian-12 with openssl, xz, gzip, Python, SQLite and g++, for bench/programs",
          .suite = "bookworm",
          .login_user = "debian",
          .disk_bytes = 3 * kGiB,
          .packages = pileus_recipe_debian_12_programs_packages,
          .early_hook = pileus_recipe_debian_12_early,
          .setup_hook = pileus_recipe_debian_12_setup,
      }};
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
