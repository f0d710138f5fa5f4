#include "ec2/parameters.h"

#include <algorithm>
#include <charconv>

#include "ec2/internal/letters.h"
#include "http/base64.h"
#include "http/uri.h"

namespace pileus::ec2 {
namespace {

// The number that a name has after "PREFIX.", and what follows it.
struct Indexed {
  u32 index = 0;
  std::string_view rest;  // after the dot; empty when nothing follows
};
std::optional<Indexed> split_index(std::string_view name, std::string_view prefix) {
  if (name.size() <= prefix.size() + 1 || !name.starts_with(prefix) || name[prefix.size()] != '.') return {};
  name.remove_prefix(prefix.size() + 1);
  Indexed result;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), result.index);
  if (error != std::errc()) return {};
  name.remove_prefix(static_cast<std::size_t>(end - name.data()));
  if (name.empty()) return result;
  if (name.front() != '.') return {};
  result.rest = name.substr(1);
  return result;
}

ApiError malformed(std::string_view text) {
  return {"MalformedQueryString",
          "The query string contains a syntax error near '" + std::string(text.substr(0, 40)) + "'"};
}

}  // namespace

Reply<std::string> decode_form_text(std::string_view text) {
  std::string plain(text);
  std::ranges::replace(plain, '+', ' ');
  std::optional<std::string> decoded = http::decode_uri(plain);
  if (decoded) return *std::move(decoded);
  return malformed(text);
}

Reply<bool> parse_boolean(std::string_view name, std::string_view text) {
  const std::string lower = to_lower(std::string(text));
  if (lower == "true" || lower == "1") return true;
  if (lower == "false" || lower == "0") return false;
  return ApiError("InvalidParameterValue", "Value (" + std::string(text.substr(0, 40)) + ") for parameter " +
                                               std::string(name) + " is invalid: it is true or false");
}

Reply<i64> parse_integer(std::string_view name, std::string_view text) {
  i64 value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return ApiError("InvalidParameterValue", "Value (" + std::string(text.substr(0, 40)) + ") for parameter " +
                                               std::string(name) + " is invalid: it is a whole number");
}

Reply<> Parameters::add_form(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    std::string name = TRY(decode_form_text(pair.substr(0, equals)));
    std::string value = equals < pair.size() ? TRY(decode_form_text(pair.substr(equals + 1))) : std::string();
    if (values_.size() >= kMaxCount) return ApiError("MalformedQueryString", "The request has too many parameters");
    values_[std::move(name)] = std::move(value);
  }
  return {};
}

const std::string& Parameters::get(std::string_view name) const {
  static const std::string kNone;
  const auto found = values_.find(name);
  return found == values_.end() ? kNone : found->second;
}

Reply<bool> Parameters::boolean(std::string_view name, bool otherwise) const {
  const std::string& text = get(name);
  if (text.empty()) return otherwise;
  return parse_boolean(name, text);
}

Reply<i64> Parameters::integer(std::string_view name, i64 otherwise) const {
  const std::string& text = get(name);
  if (text.empty()) return otherwise;
  return parse_integer(name, text);
}

Reply<std::string> Parameters::bytes(std::string_view name) const {
  // Clients break long texts into lines.
  std::string text = get(name);
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  std::optional<std::string> decoded = http::decode_base64(text);
  if (decoded) return *std::move(decoded);
  return ApiError("InvalidParameterValue", "Value for parameter " + std::string(name) + " is not base64");
}

std::vector<std::string> Parameters::list(std::string_view name) const {
  std::map<u32, std::string> found;
  // libcloud names a list's only value without an index.
  if (has(name)) found[0] = get(name);
  for (auto at = values_.lower_bound(name); at != values_.end() && at->first.starts_with(name); ++at) {
    const std::optional<Indexed> split = split_index(at->first, name);
    if (split && split->rest.empty() && !at->second.empty()) found[split->index] = at->second;
  }
  std::vector<std::string> result;
  for (auto& [index, value] : found) result.push_back(std::move(value));
  return result;
}

std::vector<Parameters> Parameters::structures(std::string_view name) const {
  std::map<u32, Parameters> found;
  for (auto at = values_.lower_bound(name); at != values_.end() && at->first.starts_with(name); ++at) {
    const std::optional<Indexed> split = split_index(at->first, name);
    if (split && !split->rest.empty()) found[split->index].set(std::string(split->rest), at->second);
  }
  std::vector<Parameters> result;
  for (auto& [index, each] : found) result.push_back(std::move(each));
  return result;
}

Parameters Parameters::below(std::string_view name) const {
  Parameters result;
  for (auto at = values_.lower_bound(name); at != values_.end() && at->first.starts_with(name); ++at) {
    if (at->first.size() > name.size() + 1 && at->first[name.size()] == '.') {
      result.set(at->first.substr(name.size() + 1), at->second);
    }
  }
  return result;
}

}  // namespace pileus::ec2
