// Answer: the tree of an answer of the API. Names are those on the wire ("reservationSet", "instanceId").
#pragma once

#include <memory>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pileus::client {

// An element; it keeps its document alive. An element that is not there has no text and no items.
class Node {
 public:
  Node() = default;
  Node(std::shared_ptr<const pugi::xml_document> document, pugi::xml_node node)
      : document_(std::move(document)), node_(node) {}

  // The element at a path of names, "instanceState/name".
  Node at(std::string_view path) const;
  std::string text(std::string_view path = {}) const;
  // The <item> elements (of "member" elements, in answers of STS) of the set at `path`.
  std::vector<Node> items(std::string_view path) const;
  explicit operator bool() const { return static_cast<bool>(node_); }

 private:
  std::shared_ptr<const pugi::xml_document> document_;
  pugi::xml_node node_;
};

struct Answer {
  Node root;
  std::string request_id;
  // Of a refusal: "InvalidInstanceID.NotFound" and a sentence; else empty.
  std::string error_code;
  std::string error_message;

  bool ok() const { return error_code.empty(); }
};

// kCorrupt: not XML, or neither an answer nor an error document.
Result<Answer> parse_answer(int status, const std::string& body);

}  // namespace pileus::client
