#include "control/console_protocol.h"

#include <nlohmann/json.hpp>

#include "http/base64.h"

namespace pileus::control {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxData = 64 * kKiB;
constexpr std::size_t kMaxReason = 4 * kKiB;

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

Error missing(const char* field) {
  return {ErrorCode::kCorrupt, std::string("the message lacks a good '") + field + "'"};
}

Result<Json> parse_object(std::string_view text) {
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) return Error(ErrorCode::kCorrupt, "the message is no JSON object");
  return value;
}

Result<std::string> text_of(const Json& object, const char* field, std::size_t limit) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string()) return missing(field);
  auto text = found->get<std::string>();
  if (text.size() > limit) return missing(field);
  return text;
}

Result<u64> number_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number_unsigned()) return missing(field);
  return found->get<u64>();
}

Result<model::InstanceId> id_of(const Json& value) {
  if (!value.is_string()) return missing("id");
  return model::InstanceId::parse(value.get_ref<const std::string&>());
}

Result<std::string> data_of(const Json& object) {
  const std::string text = TRY(text_of(object, "data", 2 * kMaxData));
  std::optional<std::string> data = http::decode_base64(text);
  if (!data || data->size() > kMaxData) return missing("data");
  return *std::move(data);
}

Result<const Json*> list_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_array()) return missing(field);
  return &*found;
}

}  // namespace

std::string encode(const ConsoleWishes& message) {
  Json open = Json::array();
  for (const model::InstanceId id : message.open) open.push_back(id.text());
  Json input = Json::array();
  for (const ConsoleInput& each : message.input) {
    input.push_back({{"sequence", each.sequence}, {"id", each.id.text()}, {"data", http::encode_base64(each.data)}});
  }
  return dump({{"sequence", message.sequence}, {"open", open}, {"input", input}});
}

Result<ConsoleWishes> parse_console_wishes(std::string_view text) {
  const Json object = TRY(parse_object(text));
  ConsoleWishes message;
  message.sequence = TRY(number_of(object, "sequence"));
  const Json* open = TRY(list_of(object, "open"));
  for (const Json& each : *open) message.open.push_back(TRY(id_of(each)));
  const Json* input = TRY(list_of(object, "input"));
  for (const Json& each : *input) {
    if (!each.is_object() || !each.contains("id")) return missing("input");
    ConsoleInput typed;
    typed.sequence = TRY(number_of(each, "sequence"));
    typed.id = TRY(id_of(each["id"]));
    typed.data = TRY(data_of(each));
    message.input.push_back(std::move(typed));
  }
  return message;
}

std::string encode(const ConsoleOutput& message) {
  return dump({{"id", message.id.text()}, {"data", http::encode_base64(message.data)}, {"ended", message.ended}});
}

Result<ConsoleOutput> parse_console_output(std::string_view text) {
  const Json object = TRY(parse_object(text));
  ConsoleOutput message;
  if (!object.contains("id")) return missing("id");
  message.id = TRY(id_of(object["id"]));
  message.data = TRY(data_of(object));
  message.ended = TRY(text_of(object, "ended", kMaxReason));
  return message;
}

}  // namespace pileus::control
