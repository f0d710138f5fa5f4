#include "ec2/xml.h"

#include <ctime>
#include <sstream>

#include <fmt/format.h>

namespace pileus::ec2 {
namespace {

// XML cannot carry other control characters, nor can any escape.
bool is_legal(char c) { return static_cast<u8>(c) >= 0x20 || c == '\n' || c == '\t' || c == '\r'; }

}  // namespace

pugi::xml_node add(pugi::xml_node parent, const char* name) { return parent.append_child(name); }

void add(pugi::xml_node parent, const char* name, std::string_view text) {
  std::string legal;
  for (const char c : text) {
    if (is_legal(c)) legal += c;
  }
  add(parent, name).text().set(legal.c_str());
}

void add_flag(pugi::xml_node parent, const char* name, bool value) {
  add(parent, name).text().set(value ? "true" : "false");
}

void add_number(pugi::xml_node parent, const char* name, i64 value) {
  add(parent, name).text().set(std::to_string(value).c_str());
}

std::string format_time(model::Millis time) {
  const auto seconds = static_cast<std::time_t>(time / 1000);
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time % 1000);
}

void add_time(pugi::xml_node parent, const char* name, model::Millis time) { add(parent, name, format_time(time)); }

void add_if(pugi::xml_node parent, const char* name, std::string_view text) {
  if (!text.empty()) add(parent, name, text);
}

void add_tags(pugi::xml_node parent, const model::Tags& tags) {
  pugi::xml_node set = add(parent, "tagSet");
  for (const auto& [key, value] : tags) {
    pugi::xml_node item = add_item(set);
    add(item, "key", key);
    add(item, "value", value);
  }
}

std::string to_text(const pugi::xml_document& document) {
  std::ostringstream stream;
  document.save(stream, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + stream.str();
}

}  // namespace pileus::ec2
