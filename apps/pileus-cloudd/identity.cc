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

std::string encode(const http::Identity& authority) {
  const Json object = {{"certificate", authority.certificate}, {"key", authority.key}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<http::Identity> parse(const std::string& text) {
  const Json object = Json::parse(text, nullptr, false);
  for (const char* name : {"certificate", "key"}) {
    if (object.is_object() && object.contains(name) && object[name].is_string()) continue;
    return Error(ErrorCode::kCorrupt, std::string(model::kIdentityKey) + " is damaged: it has no " + name);
  }
  return http::Identity{object["certificate"].get<std::string>(), object["key"].get<std::string>()};
}

// Makes the shared authority DATA's. `fresh`: there was none before this start.
Result<> adopt(const http::Identity& shared, const fs::path& data, bool fresh) {
  const fs::path folder = data / "certificates";
  const Result<std::string> own = os::read_file(folder / "ca.pem");
  if (!own && own.error().code() != ErrorCode::kNotFound) return own.error();
  if (own && *own != shared.certificate && !fresh) {
    return Error(ErrorCode::kPermission, folder.string() + " is of another cloud than the state: remove it to be a " +
                                             "manager of this one, or name another folder by --data");
  }
  if (!own || *own != shared.certificate) {
    TRY(os::make_directories(folder));
    TRY(os::remove_all(folder / "server.names"));  // so that we get a certificate of this authority
    TRY(os::replace_file(folder / "ca.key", shared.key, kPrivate));
    TRY(os::replace_file(folder / "ca.pem", shared.certificate));
  }
  return {};
}

}  // namespace

Result<http::CloudCertificates> open_identity(state::Store& store, const fs::path& data,
                                              const std::vector<std::string>& server_names) {
  std::error_code ignored;
  const bool fresh = !fs::exists(data / "certificates" / "ca.pem", ignored);
  const std::string key(model::kIdentityKey);
  // The second time, if another manager was faster the first time.
  for (int i = 0; i < 2; ++i) {
    const std::optional<state::KeyValue> entry = TRY(store.get(key));
    if (entry) {
      const http::Identity shared = TRY(parse(entry->value));
      TRY(adopt(shared, data, fresh));
    }
    http::CloudCertificates certificates = TRY(http::CloudCertificates::open(data / "certificates", server_names));
    const std::string ours = encode(certificates.authority());
    if (entry && entry->value == ours) return certificates;
    state::Transaction share;
    share.conditions.push_back(state::Compare::unchanged(key, entry ? entry->mod_revision : 0));
    share.then.emplace_back(state::Put{key, ours});
    const state::TransactionResult shared = TRY(store.commit(share));
    if (shared.succeeded) return certificates;
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
