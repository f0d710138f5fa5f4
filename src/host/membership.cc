#include "host/membership.h"

#include <nlohmann/json.hpp>

#include "control/host_protocol.h"
#include "host/internal/refusal.h"
#include "http/certificates.h"
#include "http/cloud_certificates.h"
#include "os/file.h"

namespace pileus::host {
namespace {

using Json = nlohmann::json;
constexpr std::chrono::seconds kPatience{15};

std::string join_urls(const std::vector<std::string>& urls) {
  std::string text;
  for (const std::string& url : urls) text += (text.empty() ? "" : ",") + url;
  return text;
}

// What a cloud manager answers to who joins: 200, or the reason why not.
Result<control::JoinAnswer> ask_to_join(const std::string& url, const http::JoinToken& token,
                                        const control::JoinRequest& message, const std::filesystem::path& ca) {
  const std::string authority_url = url + std::string(control::kAuthorityPath);
  const std::string authority = TRY(http::fetch_authority(authority_url, token.fingerprint, kPatience));
  TRY(os::replace_file(ca, authority, 0600));
  http::ClientOptions options;
  options.ca = ca;
  const std::unique_ptr<http::Client> client = TRY(http::Client::create(options));
  http::ClientRequest request;
  request.method = "POST";
  request.url = url + std::string(control::kJoinPath);
  request.body = control::encode(message);
  request.timeout = kPatience;
  const http::Response response = TRY(client->send(request).with("join"));
  if (response.status != 200) return refusal(response.status, response.body);
  return control::parse_join_answer(response.body);
}

}  // namespace

std::vector<std::string> split_urls(std::string_view text) {
  std::vector<std::string> urls;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) urls.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return urls;
}

http::ClientOptions Membership::client_options() const {
  http::ClientOptions options;
  options.ca = folder / "ca.pem";
  options.certificate = folder / "host.pem";
  options.key = folder / "host.key";
  return options;
}

Result<Membership> read_membership(const std::filesystem::path& folder) {
  const std::string text = TRY(os::read_file(folder / "host.json"));
  const Json object = Json::parse(text, nullptr, false);
  const bool whole = object.is_object() && object.contains("url") && object["url"].is_string() &&
                     object.contains("id") && object["id"].is_string() &&
                     !split_urls(object["url"].get<std::string>()).empty();
  if (!whole)
    return Error(ErrorCode::kCorrupt, (folder / "host.json").string() + " is damaged: remove it and join anew");
  Membership membership;
  membership.urls = split_urls(object["url"].get<std::string>());
  membership.id = TRY(model::HostId::parse(object["id"].get<std::string>()));
  membership.folder = folder;
  return membership;
}

Result<Membership> join(const std::filesystem::path& folder, const JoinWish& wish) {
  TRY(os::make_directories(folder));
  std::error_code error;
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return Error::from_errno(folder.string(), error.value());
  const http::JoinToken token = TRY(http::JoinToken::parse(wish.token));
  const std::string key = TRY(http::make_key());
  TRY(os::replace_file(folder / "host.key", key, 0600));

  control::JoinRequest message;
  message.secret = token.secret;
  message.name = wish.name;
  message.zone = wish.zone;
  message.rack = wish.rack;
  message.certificate_request = TRY(http::make_request(key, wish.name));
  Result<control::JoinAnswer> answer = Error(ErrorCode::kInvalid, "--cloud names no cloud manager");
  for (const std::string& url : wish.urls) {
    answer = ask_to_join(url, token, message, folder / "ca.pem");
    // Another one is asked only where this one cannot have let us in.
    if (answer || answer.error().code() != ErrorCode::kNotFound) break;
  }
  if (!answer) return answer.error();
  TRY(os::replace_file(folder / "host.pem", answer->certificate, 0600));
  const Json object = {{"url", join_urls(wish.urls)}, {"id", answer->id.text()}, {"name", wish.name}};
  TRY(os::replace_file(folder / "host.json", object.dump(2) + "\n", 0600));
  Membership membership;
  membership.urls = wish.urls;
  membership.id = answer->id;
  membership.folder = folder;
  return membership;
}

}  // namespace pileus::host
