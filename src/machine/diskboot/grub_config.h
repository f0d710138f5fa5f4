// The part of GRUB's configuration language (GNU GRUB manual, 6.1 "Writing full configuration files
// directly") that tells what would be booted: menu entries, their linux and initrd lines,
// variables, the default entry.
//
// Conditions are not evaluated: the commands of every branch count, in order. For variables the
// last assignment wins, for the linux and initrd lines of an entry the first; that is right for
// what grub-mkconfig writes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pileus::machine {

// What a boot configuration names; paths as written, devices such as "(hd0,gpt1)" removed.
struct BootRecipe {
  std::string title;
  std::string kernel_path;
  std::vector<std::string> initrd_paths;
  std::string command_line;
  std::string filesystem_uuid;  // where the paths are to be looked up; empty: where the configuration is
};

using Variables = std::map<std::string, std::string>;

// "name=value" lines of a grubenv file.
Variables parse_grub_environment(std::string_view text);
// $name and ${name} replaced by values, by nothing when unset.
std::string expand_variables(std::string_view text, const Variables& variables);
// The default entry; `variables` are those that grubenv set. kNotFound when no entry has a linux
// line; kCorrupt when it is nested or long beyond reason.
Result<BootRecipe> parse_grub_config(std::string_view text, Variables variables);

}  // namespace pileus::machine
