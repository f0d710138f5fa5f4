#include "client/answer.h"

namespace pileus::client {

Node Node::at(std::string_view path) const {
  pugi::xml_node node = node_;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    node = node.child(std::string(path.substr(0, slash)).c_str());
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return {document_, node};
}

std::string Node::text(std::string_view path) const { return at(path).node_.text().get(); }

std::vector<Node> Node::items(std::string_view path) const {
  std::vector<Node> result;
  for (const pugi::xml_node child : at(path).node_.children()) {
    const std::string_view name = child.name();
    if (name == "item" || name == "member") result.emplace_back(document_, child);
  }
  return result;
}

Result<Answer> parse_answer(int status, const std::string& body) {
  auto document = std::make_shared<pugi::xml_document>();
  const pugi::xml_parse_result parsed = document->load_buffer(body.data(), body.size());
  const pugi::xml_node root = document->document_element();
  if (!parsed || !root) {
    return Error(ErrorCode::kCorrupt, "the answer (status " + std::to_string(status) + ") is no XML: is it a cloud?");
  }
  Answer answer;
  answer.root = Node(document, root);
  const std::string_view name = root.name();
  // EC2's form and that of STS.
  if (name == "Response" || name == "ErrorResponse") {
    const Node error = name == "Response" ? answer.root.at("Errors/Error") : answer.root.at("Error");
    answer.error_code = error.text("Code");
    answer.error_message = error.text("Message");
    answer.request_id = answer.root.text(name == "Response" ? "RequestID" : "RequestId");
    if (answer.error_code.empty()) return Error(ErrorCode::kCorrupt, "an error document without a code");
    return answer;
  }
  if (status != 200) {
    return Error(ErrorCode::kCorrupt, "an answer of status " + std::to_string(status) + " without an error document");
  }
  answer.request_id = answer.root.text("requestId");
  return answer;
}

}  // namespace pileus::client
