// Filters of Describe actions: all filters have to fit, each by any of its values; `*` and `?` are wildcards, and `\` takes
// the meaning off the next character.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ec2/parameters.h"
#include "model/instance.h"

namespace pileus::ec2 {

bool matches(std::string_view pattern, std::string_view text);

using Texts = std::vector<std::string>;
// "true" or "false"
inline Texts flag(bool value) { return {value ? "true" : "false"}; }

// A filter that an action knows, and what of an object it looks at.
template <typename Object>
struct Filter {
  std::string_view name;
  Texts (*values)(const Object&);
};

// One filter of a request.
struct Wanted {
  std::string name;
  Texts patterns;
};
// InvalidParameterValue for filters that `is_known` does not know.
Reply<std::vector<Wanted>> read_filters(const Parameters& parameters,
                                        const std::function<bool(std::string_view)>& is_known);
bool fits(const Wanted& wanted, const Texts& values);
// "tag:KEY", "tag-key", "tag-value".
bool is_tag_filter(std::string_view name);
Texts tag_values(std::string_view filter, const model::Tags& tags);

// The filters of a request for objects of one kind.
template <typename Object>
class FilterSet {
 public:
  static Reply<FilterSet> read(const Parameters& parameters, std::span<const Filter<Object>> known,
                               const model::Tags& (*tags)(const Object&)) {
    FilterSet set(known, tags);
    set.wanted_ = TRY(read_filters(parameters, [&](std::string_view name) {
      return (tags != nullptr && is_tag_filter(name)) || set.find(name) != nullptr;
    }));
    return set;
  }

  bool empty() const { return wanted_.empty(); }
  bool pass(const Object& object) const {
    for (const Wanted& wanted : wanted_) {
      const Filter<Object>* filter = find(wanted.name);
      if (!fits(wanted, filter != nullptr ? filter->values(object) : tag_values(wanted.name, tags_(object))))
        return false;
    }
    return true;
  }

 private:
  FilterSet(std::span<const Filter<Object>> known, const model::Tags& (*tags)(const Object&))
      : known_(known), tags_(tags) {}
  const Filter<Object>* find(std::string_view name) const {
    for (const Filter<Object>& each : known_) {
      if (each.name == name) return &each;
    }
    return nullptr;
  }

  std::span<const Filter<Object>> known_;
  const model::Tags& (*tags_)(const Object&);
  std::vector<Wanted> wanted_;
};

}  // namespace pileus::ec2
