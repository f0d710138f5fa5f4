// Key pairs. Only the public half is kept.
#include <algorithm>

#include "control/key_names.h"
#include "ec2/filters.h"
#include "ec2/key_pairs/handlers.h"
#include "ec2/key_pairs/objects.h"
#include "ec2/key_pairs/ssh_key.h"
#include "ec2/tags/objects.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMaxName = 255;
const model::Tags& tags_of(const model::KeyPair& pair) { return pair.tags; }

constexpr Filter<model::KeyPair> kFilters[] = {
    {"key-name", [](const model::KeyPair& pair) { return Texts{pair.name}; }},
    {"key-pair-id", [](const model::KeyPair& pair) { return Texts{pair.id.text()}; }},
    {"fingerprint", [](const model::KeyPair& pair) { return Texts{pair.fingerprint}; }},
};

// Holds the name: two requests at once cannot both have it.
std::string name_key(const Call& call, const std::string& name) { return control::key_name_key(call.account.id, name); }

Reply<> store_pair(const Call& call, const model::KeyPair& pair, const char* what) {
  control::Change change;
  change.expect(state::Compare::absent(name_key(call, pair.name)));
  change.put(name_key(call, pair.name), pair.id.text());
  change.update(model::desired_key(pair.id), pair, 0);
  TRY(tell(call, change, pair.id, what, pair.fingerprint));
  if (TRY(change.commit(call.store))) return {};
  return ApiError("InvalidKeyPair.Duplicate", "The keypair '" + pair.name + "' already exists");
}

Reply<model::KeyPair> new_pair(const Call& call) {
  model::KeyPair pair;
  pair.id = model::KeyPairId::random();
  pair.account = call.account.id;
  pair.name = call.parameters.get("KeyName");
  pair.created_at = call.clock.now();
  pair.tags = TRY(tags_for(call.parameters, "key-pair"));
  const bool ascii = std::ranges::all_of(pair.name, [](char c) { return c >= ' ' && c <= '~'; });
  if (pair.name.size() > kMaxName || !ascii) {
    return ApiError("InvalidParameterValue",
                    "Value for parameter KeyName is invalid: it has up to 255 ASCII characters");
  }
  return pair;
}

void write_pair(pugi::xml_node node, const model::KeyPair& pair) {
  add(node, "keyPairId", pair.id.text());
  add(node, "keyFingerprint", pair.fingerprint);
  add(node, "keyName", pair.name);
  add_tags(node, pair.tags);
}

}  // namespace

Reply<model::KeyPair> find_key_pair(const Call& call, const std::string& name) {
  for (model::KeyPair& pair : TRY(call.records<model::KeyPair>(model::IdKind::kKeyPair))) {
    if (pair.name == name) return std::move(pair);
  }
  return ApiError("InvalidKeyPair.NotFound", "The key pair '" + name.substr(0, kMaxName) + "' does not exist");
}

Reply<> create_key_pair(Call& call, pugi::xml_node answer) {
  const std::string& type = call.parameters.get("KeyType");
  if (!type.empty() && type != "rsa" && type != "ed25519") {
    return ApiError("InvalidParameterValue",
                    "Value (" + type.substr(0, 20) + ") for parameter KeyType is invalid: rsa or ed25519");
  }
  if (call.parameters.has("KeyFormat") && call.parameters.get("KeyFormat") != "pem") {
    return ApiError("UnsupportedOperation", "Keys are handed out as pem only");
  }
  model::KeyPair pair = TRY(new_pair(call));
  const NewKey key = TRY(make_key(type == "ed25519" ? KeyType::kEd25519 : KeyType::kRsa, pair.name));
  pair.type = type.empty() ? "rsa" : type;
  pair.public_key = key.public_line;
  pair.fingerprint = key.fingerprint;
  TRY(store_pair(call, pair, "created"));
  write_pair(answer, pair);
  add(answer, "keyMaterial", key.private_pem);
  return {};
}

Reply<> import_key_pair(Call& call, pugi::xml_node answer) {
  model::KeyPair pair = TRY(new_pair(call));
  const Result<ImportedKey> key = read_public_key(TRY(call.parameters.bytes("PublicKeyMaterial")));
  if (!key) return ApiError("InvalidKey.Format", key.error().message());
  pair.type = key->type == KeyType::kRsa ? "rsa" : "ed25519";
  pair.public_key = key->public_line;
  pair.fingerprint = key->fingerprint;
  TRY(store_pair(call, pair, "imported"));
  write_pair(answer, pair);
  return {};
}

Reply<> delete_key_pair(Call& call, pugi::xml_node answer) {
  const std::string& name = call.parameters.get("KeyName");
  const std::string& id = call.parameters.get("KeyPairId");
  if (name.empty() && id.empty()) {
    return ApiError("MissingParameter", "The request must contain the parameter KeyName or KeyPairId");
  }
  for (const model::KeyPair& pair : TRY(call.records<model::KeyPair>(model::IdKind::kKeyPair))) {
    if (pair.name != name && pair.id.text() != id) continue;
    control::Change change;
    change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kKeyPair, pair.id.text(), "")));
    change.erase(state::KeyRange::key(name_key(call, pair.name)));
    TRY(change.commit(call.store));
  }
  add(answer, "return", "true");  // that there was none is no error
  return {};
}

Reply<> describe_key_pairs(Call& call, pugi::xml_node answer) {
  const auto filters = TRY(FilterSet<model::KeyPair>::read(call.parameters, kFilters, tags_of));
  const auto pairs = TRY(call.records<model::KeyPair>(model::IdKind::kKeyPair));
  const std::vector<std::string> names = call.parameters.list("KeyName");
  const std::vector<std::string> ids = call.parameters.list("KeyPairId");
  for (const std::string& name : names) {
    if (std::ranges::find(pairs, name, &model::KeyPair::name) == pairs.end()) {
      return ApiError("InvalidKeyPair.NotFound", "The key pair '" + name.substr(0, kMaxName) + "' does not exist");
    }
  }
  for (const std::string& id : ids) {
    if (std::ranges::none_of(pairs, [&](const model::KeyPair& pair) { return pair.id.text() == id; })) {
      return ApiError("InvalidKeyPair.NotFound", "The key pair '" + id.substr(0, 40) + "' does not exist");
    }
  }
  const bool with_key = TRY(call.parameters.boolean("IncludePublicKey", false));
  pugi::xml_node set = add(answer, "keySet");
  for (const model::KeyPair& pair : pairs) {
    const bool all = names.empty() && ids.empty();
    const bool named =
        std::ranges::find(names, pair.name) != names.end() || std::ranges::find(ids, pair.id.text()) != ids.end();
    if (!(all || named) || !filters.pass(pair)) continue;
    pugi::xml_node item = add_item(set);
    write_pair(item, pair);
    add(item, "keyType", pair.type);
    add_time(item, "createTime", pair.created_at);
    if (with_key) add(item, "publicKey", pair.public_key);
  }
  return {};
}

}  // namespace pileus::ec2
