#include "foreign/format.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pileus::foreign {
namespace {

constexpr std::array<std::pair<std::string_view, Format>, 5> kNames = {{{"raw", Format::kRaw},
                                                                        {"qcow2", Format::kQcow2},
                                                                        {"vmdk", Format::kVmdk},
                                                                        {"vhd", Format::kVhd},
                                                                        {"vpc", Format::kVhd}}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::optional<Format> parse_format(std::string_view text) {
  for (const auto& [name, format] : kNames) {
    if (std::ranges::equal(text, name, {}, lower)) return format;
  }
  return std::nullopt;
}

std::string_view format_name(Format format) {
  return std::ranges::find(kNames, format, &decltype(kNames)::value_type::second)->first;
}

}  // namespace pileus::foreign
