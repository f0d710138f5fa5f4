#include "ec2/fuzz.h"

#include <algorithm>
#include <array>

#include "ec2/actions.h"
#include "ec2/filters.h"
#include "ec2/key_pairs/ssh_key.h"
#include "ec2/pages.h"
#include "ec2/signature.h"
#include "http/uri.h"

namespace pileus::ec2 {
namespace {

constexpr model::Millis kNow = 1'440'938'160'000;  // 2015-08-30T12:36:00Z, as the seeds have it

std::string_view text_of(std::span<const u8> input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

// Cuts the text at its first newline.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

void fuzz_query(std::span<const u8> input) {
  Parameters parameters;
  if (!parameters.add_form(text_of(input)).ok()) return;
  // What is read and written again reads as the same.
  std::string again;
  for (const auto& [name, value] : parameters.all())
    again += "&" + http::encode_uri(name) + "=" + http::encode_uri(value);
  Parameters second;
  CHECK(second.add_form(again).ok());
  CHECK(second.all() == parameters.all());
  for (const ActionGroup* const group : action_groups()) {
    for (const Action& action : group->actions) static_cast<void>(check_parameters(action, parameters).ok());
  }
  static_cast<void>(read_page(parameters).ok());
  static_cast<void>(read_filters(parameters, [](std::string_view name) { return name != "unknown"; }).ok());
  for (const Parameters& each : parameters.structures("TagSpecification")) {
    for (const Parameters& tag : each.structures("Tag")) CHECK(tag.all().size() <= parameters.all().size());
  }
  CHECK(parameters.list("InstanceId").size() <= parameters.all().size());
  static_cast<void>(parameters.bytes("UserData").ok());
}

// Nobody can sign without the secret.
void fuzz_signature(std::span<const u8> input) {
  std::string_view text = text_of(input);
  http::Request request;
  request.method = "POST";
  request.path = "/";
  request.headers.add("Authorization", std::string(take_line(text)));
  request.headers.add("X-Amz-Date", std::string(take_line(text)));
  request.headers.add("Host", std::string(take_line(text)));
  request.query = take_line(text);
  request.body = text;
  Parameters parameters;
  if (!parameters.add_form(request.query).ok() || !parameters.add_form(request.body).ok()) return;
  bool asked = false;
  const auto find_secret = [&](const std::string&) {
    asked = true;
    return std::optional<std::string>("a secret that no input holds");
  };
  const Reply<Signer> signer = verify_signature(request, parameters, kNow, find_secret);
  CHECK(!signer.ok());
  CHECK(!signer.error().code.empty() && !signer.error().message.empty());
  CHECK(asked || signer.error().code != "AuthFailure");
}

void fuzz_filter(std::span<const u8> input) {
  std::string_view text = text_of(input);
  const std::string_view pattern = take_line(text);
  static_cast<void>(matches(pattern, text));
  CHECK(matches("*", text));
  // A backslash at its end would take the meaning off the star behind it.
  const bool open = pattern.ends_with('\\');
  CHECK(open || matches("*" + std::string(pattern) + "*", text) || !matches(pattern, text));
  std::string literal;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '\\') literal += '\\';
    literal += c;
  }
  CHECK(matches(literal, text));
}

void fuzz_public_key(std::span<const u8> input) {
  const Result<ImportedKey> key = read_public_key(text_of(input));
  if (!key) return;
  // What is kept is a line that is read again as the same key.
  const Result<ImportedKey> again = read_public_key(key->public_line);
  CHECK(again.ok());
  CHECK(again->fingerprint == key->fingerprint && again->type == key->type);
  CHECK(key->public_line.find('\n') == std::string::npos);
}

}  // namespace pileus::ec2
