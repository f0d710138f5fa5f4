#include "ec2/filters.h"

#include <algorithm>

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxFilters = 200;
constexpr std::size_t kMaxValues = 1000;

}  // namespace

// Backtracks to the last star only, so that it takes at most the product of the two lengths.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, star_text = 0;
  while (t < text.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() &&
               (escaped ? pattern[p + 1] == text[t] : pattern[p] == '?' || pattern[p] == text[t])) {
      p += escaped ? 2 : 1;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Reply<std::vector<Wanted>> read_filters(const Parameters& parameters,
                                        const std::function<bool(std::string_view)>& is_known) {
  std::vector<Wanted> result;
  std::vector<Parameters> filters = parameters.structures("Filter");
  for (Parameters& each : parameters.structures("Filters")) filters.push_back(std::move(each));  // of a few actions
  for (const Parameters& each : filters) {
    Wanted wanted{each.get("Name"), each.list("Value")};
    if (wanted.name.empty()) continue;
    if (!is_known(wanted.name)) {
      return ApiError("InvalidParameterValue", "The filter '" + wanted.name.substr(0, 60) + "' is invalid");
    }
    if (wanted.patterns.empty()) {
      return ApiError("InvalidParameterValue", "The filter '" + wanted.name + "' has no value");
    }
    if (wanted.patterns.size() > kMaxValues || result.size() >= kMaxFilters) {
      return ApiError("FilterLimitExceeded", "The request has too many filters or values of one");
    }
    result.push_back(std::move(wanted));
  }
  return result;
}

bool fits(const Wanted& wanted, const Texts& values) {
  return std::ranges::any_of(wanted.patterns, [&](const std::string& pattern) {
    return std::ranges::any_of(values, [&](const std::string& value) { return matches(pattern, value); });
  });
}

bool is_tag_filter(std::string_view name) {
  return name == "tag-key" || name == "tag-value" || (name.starts_with("tag:") && name.size() > 4);
}

Texts tag_values(std::string_view filter, const model::Tags& tags) {
  Texts result;
  for (const auto& [key, value] : tags) {
    if (filter == "tag-key") result.push_back(key);
    if (filter == "tag-value" || filter.substr(std::min<std::size_t>(4, filter.size())) == key) result.push_back(value);
  }
  return result;
}

}  // namespace pileus::ec2
