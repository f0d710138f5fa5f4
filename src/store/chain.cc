#include "store/chain.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pileus::store {
namespace {

using Json = nlohmann::json;

Error corrupt(const std::string& why) { return {ErrorCode::kCorrupt, "chain.json " + why}; }

// One name in the folder, hidden ones aside.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

bool is_layer_file(const std::string& file) {
  return is_plain_name(file) || (file.starts_with('/') && file.find('\0') == std::string::npos);
}

const Json* find(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

Result<Layer> parse_layer(const Json& entry) {
  if (!entry.is_object()) return corrupt("has a layer that is no object");
  const Json* const file = find(entry, "file");
  const Json* const raw = find(entry, "raw");
  if (file == nullptr || !file->is_string() || raw == nullptr || !raw->is_boolean()) {
    return corrupt("has a layer without \"file\" or \"raw\"");
  }
  Layer layer{file->get<std::string>(), raw->get<bool>()};
  if (!is_layer_file(layer.file)) return corrupt("has a layer with an impossible name");
  return layer;
}

Result<Mark> parse_mark(const Json& entry, std::size_t layers) {
  if (!entry.is_object()) return corrupt("has a mark that is no object");
  const Json* const name = find(entry, "name");
  const Json* const count = find(entry, "layers");
  if (name == nullptr || !name->is_string() || count == nullptr || !count->is_number_unsigned()) {
    return corrupt("has a mark without \"name\" or \"layers\"");
  }
  Mark mark{name->get<std::string>(), count->get<u64>()};
  if (mark.layers > layers) return corrupt("has a mark of more layers than there are");
  return mark;
}

}  // namespace

const Mark* Chain::find_mark(std::string_view name) const {
  const auto found = std::ranges::find(marks, name, &Mark::name);
  return found == marks.end() ? nullptr : &*found;
}

std::string encode_chain(const Chain& chain) {
  Json layers = Json::array();
  for (const Layer& layer : chain.layers) layers.push_back({{"file", layer.file}, {"raw", layer.raw}});
  Json marks = Json::array();
  for (const Mark& mark : chain.marks) marks.push_back({{"name", mark.name}, {"layers", mark.layers}});
  const Json object = {{"layers", layers}, {"top", chain.top}, {"marks", marks}};
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Chain> parse_chain(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) return corrupt("is not a JSON object");
  const Json* const layers = find(object, "layers");
  const Json* const top = find(object, "top");
  const Json* const marks = find(object, "marks");
  if (layers == nullptr || !layers->is_array() || top == nullptr || !top->is_string() || marks == nullptr ||
      !marks->is_array()) {
    return corrupt("lacks \"layers\", \"top\" or \"marks\"");
  }
  if (layers->size() > kMaxLayers || marks->size() > kMaxMarks) return corrupt("has too many layers or marks");
  Chain chain;
  chain.top = top->get<std::string>();
  if (!is_plain_name(chain.top)) return corrupt("has an impossible name for the top");
  for (const Json& entry : *layers) {
    Layer layer = TRY(parse_layer(entry));
    if (layer.raw && !chain.layers.empty()) return corrupt("has a raw layer over another");
    chain.layers.push_back(std::move(layer));
  }
  for (const Json& entry : *marks) chain.marks.push_back(TRY(parse_mark(entry, chain.layers.size())));
  return chain;
}

}  // namespace pileus::store
