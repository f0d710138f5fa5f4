// JsonReader: the fields of one JSON object, each of its kind or not at all.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/ints.h"

namespace pileus::vmm {

// Fields are read one by one into `field`; the first that is wrong is remembered.
class JsonReader {
 public:
  explicit JsonReader(const nlohmann::json& object) : object_(object) {}

  void text(const char* name, std::string& field) {
    const auto found = object_.find(name);
    if (found == object_.end() || !found->is_string()) return fail(name);
    field = found->get<std::string>();
  }
  void flag(const char* name, bool& field) {
    const auto found = object_.find(name);
    if (found == object_.end() || !found->is_boolean()) return fail(name);
    field = found->get<bool>();
  }
  template <typename T>
  void number(const char* name, T& field) {
    const auto found = object_.find(name);
    if (found == object_.end() || !found->is_number_unsigned() ||
        found->template get<u64>() > std::numeric_limits<T>::max()) {
      return fail(name);
    }
    field = static_cast<T>(found->template get<u64>());
  }
  void texts(const char* name, std::vector<std::string>& field) {
    const auto found = object_.find(name);
    if (found == object_.end() || !found->is_array()) return fail(name);
    for (const nlohmann::json& entry : *found) {
      if (!entry.is_string()) return fail(name);
      field.push_back(entry.get<std::string>());
    }
  }
  // For what may be absent, e.g. in folders of earlier versions: ask first, and leave `field` as it is.
  bool has(const char* name) const { return object_.contains(name); }
  const std::string& wrong() const { return wrong_; }

 private:
  void fail(const char* name) {
    if (wrong_.empty()) wrong_ = name;
  }
  const nlohmann::json& object_;
  std::string wrong_;
};

}  // namespace pileus::vmm
