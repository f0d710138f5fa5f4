// Fields of the messages between hosts and the cloud manager: JSON that is not trusted.
#pragma once

#include <nlohmann/json.hpp>

#include "model/codec.h"

namespace pileus::control::internal {

using Json = nlohmann::json;
inline constexpr std::size_t kMaxText = 64 * kKiB;

inline std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

inline Error missing(const std::string& field) {
  return {ErrorCode::kCorrupt, "the message lacks a good '" + field + "'"};
}

inline Result<Json> parse_object(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) return Error(ErrorCode::kCorrupt, "the message is no JSON object");
  return value;
}

inline Result<std::string> text_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string()) return missing(field);
  auto text = found->get<std::string>();
  if (text.size() > kMaxText) return missing(field);
  return text;
}

inline Result<bool> flag_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_boolean()) return missing(field);
  return found->get<bool>();
}

inline Result<u64> number_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number_unsigned()) return missing(field);
  return found->get<u64>();
}

inline Result<std::vector<std::string>> texts_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_array()) return missing(field);
  std::vector<std::string> texts;
  for (const Json& each : *found) {
    if (!each.is_string() || each.get_ref<const std::string&>().size() > kMaxText) return missing(field);
    texts.push_back(each.get<std::string>());
  }
  return texts;
}

// An id that may be none, which is empty text.
template <typename Id>
Result<Id> id_of(const Json& object, const char* field) {
  const std::string text = TRY(text_of(object, field));
  if (text.empty()) return Id();
  return Id::parse(text);
}

// Records travel as their own encoding, a text within the text: their codec checks them.
template <typename Record>
Result<Record> record_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string()) return missing(field);
  return model::decode<Record>(found->get_ref<const std::string&>()).with(field);
}

}  // namespace pileus::control::internal
