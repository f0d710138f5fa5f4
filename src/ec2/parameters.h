// Parameters: what a request of the query protocol says, "Filter.1.Value.2=running" and so on.
//
// Names are looked up as they are on the wire. An empty value counts as not given, as clients mean it. Lists begin at 0
// or 1 and may have holes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "ec2/reply.h"

namespace pileus::ec2 {

class Parameters {
 public:
  static constexpr std::size_t kMaxCount = 4096;

  // application/x-www-form-urlencoded text: of a URL's query, or of a body. A later value replaces an earlier one of the
  // same name. MalformedQueryString.
  Reply<> add_form(std::string_view text);
  void set(std::string name, std::string value) { values_[std::move(name)] = std::move(value); }

  bool has(std::string_view name) const { return !get(name).empty(); }
  // An empty string when it is not given.
  const std::string& get(std::string_view name) const;
  // `otherwise` when it is not given. InvalidParameterValue.
  Reply<bool> boolean(std::string_view name, bool otherwise) const;
  Reply<i64> integer(std::string_view name, i64 otherwise) const;
  // The bytes that a base64 text stands for.
  Reply<std::string> bytes(std::string_view name) const;

  // "InstanceId" of InstanceId.1, InstanceId.2: the values in order. A value without any index comes first.
  std::vector<std::string> list(std::string_view name) const;
  // "Filter" of Filter.1.Name, Filter.1.Value.1: the parameters below each index, in order, without that beginning.
  std::vector<Parameters> structures(std::string_view name) const;
  // All below "NAME.".
  Parameters below(std::string_view name) const;

  const std::map<std::string, std::string, std::less<>>& all() const { return values_; }
  bool empty() const { return values_.empty(); }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// Percent-decoding; '+' is a space. MalformedQueryString.
Reply<std::string> decode_form_text(std::string_view text);

Reply<bool> parse_boolean(std::string_view name, std::string_view text);
Reply<i64> parse_integer(std::string_view name, std::string_view text);

}  // namespace pileus::ec2
