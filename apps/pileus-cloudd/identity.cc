#include "identity.h"

#include <nlohmann/json.hpp>

#include "http/certificates.h"
#include "model/cloud_keys.h"
#include "os/file.h"

namespace pileus::cloudd {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
constexpr unsigned kPrivate = 0600;
constexpr std::size_t kNameBytes = 8;

struct Shared {
  http::Identity authority;
  std::string token;
};

std::string encode(const Shared& shared) {
  const Json object = {
      {"certificate", shared.authority.certificate}, {"key", shared.authority.key}, {"join_token", shared.token}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Shared> parse(const std::string& text) {
  const Json object = Json::parse(text, nullptr, false);
  for (const char* name : {"certificate", "key", "join_token"}) {
    if (object.is_object() && object.contains(name) && object[name].is_string()) continue;
    return Error(ErrorCode::kCorrupt, std::string(model::kIdentityKey) + " is damaged: it has no " + name);
  }
  return Shared{{object["certificate"].get<std::string>(), object["key"].get<std::string>()},
                object["join_token"].get<std::string>()};
}

// Makes DATA's identity the shared one. `fresh`: there was none before this start. A token that is missing from a folder that
// is not fresh was taken away to get a new one.
Result<> adopt(const Shared& shared, const fs::path& data, bool fresh) {
  const fs::path folder = data / "certificates";
  const Result<std::string> own = os::read_file(folder / "ca.pem");
  if (!own && own.error().code() != ErrorCode::kNotFound) return own.error();
  if (own && *own != shared.authority.certificate && !fresh) {
    return Error(ErrorCode::kPermission, folder.string() + " is of another cloud than the state: remove it to be a " +
                                             "manager of this one, or name another folder by --data");
  }
  if (!own || *own != shared.authority.certificate) {
    TRY(os::make_directories(folder));
    TRY(os::remove_all(folder / "server.names"));  // so that we get a certificate of this authority
    TRY(os::replace_file(folder / "ca.key", shared.authority.key, kPrivate));
    TRY(os::replace_file(folder / "ca.pem", shared.authority.certificate));
  }
  std::error_code ignored;
  if (!fresh && !fs::exists(data / "join-token", ignored)) return {};
  return os::replace_file(data / "join-token", shared.token + "\n", kPrivate);
}

// The token that lies in `file`; a new one if there is none for this authority.
Result<http::JoinToken> open_token(const fs::path& file, const std::string& fingerprint) {
  const Result<std::string> text = os::read_file(file);
  if (text) {
    Result<http::JoinToken> token = http::JoinToken::parse(text->substr(0, text->find('\n')));
    if (token && token->fingerprint == fingerprint) return token;
  } else if (text.error().code() != ErrorCode::kNotFound) {
    return text.error();
  }
  http::JoinToken token = TRY(http::JoinToken::make(fingerprint));
  TRY(os::replace_file(file, token.text() + "\n", kPrivate));
  return token;
}

}  // namespace

Result<CloudIdentity> open_identity(state::Store& store, const fs::path& data,
                                    const std::vector<std::string>& server_names) {
  std::error_code ignored;
  const bool fresh = !fs::exists(data / "certificates" / "ca.pem", ignored);
  const std::string key(model::kIdentityKey);
  // The second time, if another manager was faster the first time.
  for (int i = 0; i < 2; ++i) {
    const std::optional<state::KeyValue> entry = TRY(store.get(key));
    if (entry) {
      const Shared shared = TRY(parse(entry->value));
      TRY(adopt(shared, data, fresh));
    }
    http::CloudCertificates certificates = TRY(http::CloudCertificates::open(data / "certificates", server_names));
    http::JoinToken token = TRY(open_token(data / "join-token", certificates.fingerprint()));
    const std::string ours = encode({certificates.authority(), token.text()});
    CloudIdentity identity{std::move(certificates), std::move(token)};
    if (entry && entry->value == ours) return identity;
    state::Transaction share;
    share.conditions.push_back(state::Compare::unchanged(key, entry ? entry->mod_revision : 0));
    share.then.emplace_back(state::Put{key, ours});
    const state::TransactionResult shared = TRY(store.commit(share));
    if (shared.succeeded) return identity;
  }
  return Error(ErrorCode::kBusy, "the cloud's identity was taken away while it was read: try again");
}

Result<std::string> open_name(const fs::path& data) {
  const fs::path file = data / "manager-name";
  const Result<std::string> text = os::read_file(file);
  if (text && text->size() > 1) return text->substr(0, text->find('\n'));
  if (!text && text.error().code() != ErrorCode::kNotFound) return text.error();
  std::string name = TRY(http::random_hex(kNameBytes));
  TRY(os::replace_file(file, name + "\n"));
  return name;
}

}  // namespace pileus::cloudd
