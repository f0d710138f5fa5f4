// Answers as trees of elements.
#pragma once

#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "base/ints.h"
#include "model/instance.h"

namespace pileus::ec2 {

// A child element, with or without a text.
pugi::xml_node add(pugi::xml_node parent, const char* name);
void add(pugi::xml_node parent, const char* name, std::string_view text);
void add_flag(pugi::xml_node parent, const char* name, bool value);
void add_number(pugi::xml_node parent, const char* name, i64 value);
// 2026-01-01T00:00:00.000Z
void add_time(pugi::xml_node parent, const char* name, model::Millis time);
std::string format_time(model::Millis time);
// Nothing for an empty text: clients read an empty element as an empty string, not as none.
void add_if(pugi::xml_node parent, const char* name, std::string_view text);
inline pugi::xml_node add_item(pugi::xml_node set) { return add(set, "item"); }
// <tagSet><item><key/><value/></item></tagSet>
void add_tags(pugi::xml_node parent, const model::Tags& tags);

std::string to_text(const pugi::xml_document& document);

}  // namespace pileus::ec2
