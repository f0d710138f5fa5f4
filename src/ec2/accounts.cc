#include "ec2/accounts.h"

#include "http/base64.h"
#include "http/certificates.h"
#include "model/id.h"

namespace pileus::ec2 {
namespace {

constexpr std::size_t kMinSecret = 16;
constexpr std::size_t kMaxText = 128;
constexpr std::size_t kMaxKeys = 8;  // of an account

// Text that neither a signature nor a shell takes for something else.
bool is_plain(std::string_view text) {
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '+' || c == '/' || c == '=';
    if (!plain) return false;
  }
  return !text.empty() && text.size() <= kMaxText;
}

std::string name_key(const std::string& name) { return "v1/account-names/" + name; }
std::string owner_key(const std::string& access_key) { return "v1/access-keys/" + access_key; }

Result<model::AccessKey> make_access_key(const std::string& access_key, const std::string& secret_key) {
  model::AccessKey key{access_key, secret_key, true};
  if (key.id.empty()) {
    std::string random = TRY(http::random_hex(8));
    for (char& c : random) c = c >= 'a' ? static_cast<char>(c - 32) : c;
    key.id = "AKIA" + random;
  }
  if (key.secret.empty()) key.secret = TRY(http::random_hex(20));
  if (!is_plain(key.id) || key.id.find('/') != std::string::npos || !is_plain(key.secret) ||
      key.secret.size() < kMinSecret) {
    return Error(ErrorCode::kInvalid,
                 "an access key and its secret have letters, digits and -_.+/= only, and a secret at least 16 of them");
  }
  return key;
}

Result<control::Stored<model::Account>> read_account(state::Store& store, const std::string& name) {
  const std::optional<state::KeyValue> owner = TRY(store.get(name_key(name)));
  control::Stored<model::Account> account;
  if (owner) {
    const model::AccountId id = TRY(model::AccountId::parse(owner->value).with(owner->key));
    account = TRY(control::read<model::Account>(store, model::account_key(id)));
  }
  if (account.exists()) return account;
  return Error(ErrorCode::kNotFound, "there is no account '" + name.substr(0, kMaxText) + "'");
}

// `edit` changes the account and may add to the transaction that writes it. Again while others change it; false: what
// `edit` expected of other records is not so.
Result<bool> change_account(state::Store& store, const std::string& name,
                            const std::function<Result<>(model::Account&, control::Change&)>& edit) {
  while (true) {
    auto account = TRY(read_account(store, name));
    control::Change change;
    TRY(edit(account.value, change));
    change.update(model::account_key(account.value.id), account.value, account.revision);
    if (TRY(change.commit(store))) return true;
    if (TRY(read_account(store, name)).revision == account.revision) return false;
  }
}

}  // namespace

Result<> Accounts::sync() {
  const auto apply = [this](const state::KeyValue& entry, bool deleted) -> Result<> {
    std::erase_if(owners_, [&](const auto& owner) { return owner.second == entry.key; });
    accounts_.erase(entry.key);
    if (deleted) return {};
    model::Account account = TRY(model::decode<model::Account>(entry.value).with(entry.key));
    for (const model::AccessKey& key : account.access_keys) {
      if (key.enabled) owners_[key.id] = entry.key;
    }
    accounts_[entry.key] = std::move(account);
    return {};
  };
  const state::KeyRange range = state::KeyRange::prefix(std::string(model::kAccountsPrefix));
  if (!watch_) {
    accounts_.clear();
    owners_.clear();
    const state::Snapshot all = TRY(store_.get(state::Get{range}));
    for (const state::KeyValue& entry : all.entries) TRY(apply(entry, false));
    watch_ = TRY(store_.watch(range, all.revision + 1));
    return {};
  }
  while (true) {
    auto update = watch_->next(std::chrono::milliseconds(0));
    if (!update) {
      watch_.reset();
      return sync();
    }
    for (const state::Event& event : update->events) TRY(apply(event.entry, event.kind == state::Event::Kind::kDelete));
    if (update->events.empty()) return {};
  }
}

Result<std::optional<model::Account>> Accounts::find(const std::string& access_key) {
  const std::lock_guard lock(mutex_);
  TRY(sync());
  const auto owner = owners_.find(access_key);
  if (owner == owners_.end()) return std::optional<model::Account>();
  return std::optional<model::Account>(accounts_.at(owner->second));
}

Result<std::vector<model::Account>> Accounts::list() {
  const std::lock_guard lock(mutex_);
  TRY(sync());
  std::vector<model::Account> result;
  for (const auto& [key, account] : accounts_) result.push_back(account);
  return result;
}

Result<model::Account> create_account(state::Store& store, const NewAccount& request, model::Millis now) {
  if (!is_plain(request.name)) {
    return Error(ErrorCode::kInvalid, "an account's name has 1 to 128 letters, digits and -_.+/= only");
  }
  model::Account account;
  account.id = model::AccountId::random();
  account.name = request.name;
  account.administrator = request.administrator;
  account.quota = request.quota;
  account.created_at = now;
  account.access_keys = {TRY(make_access_key(request.access_key, request.secret_key))};
  // Names and access keys are of one account only: records of their own hold them.
  control::Change change;
  for (const std::string& key : {name_key(account.name), owner_key(account.access_keys[0].id)}) {
    change.expect(state::Compare::absent(key));
    change.put(key, account.id.text());
  }
  change.update(model::account_key(account.id), account, 0);
  if (TRY(change.commit(store))) return account;
  return Error(ErrorCode::kExists, "the name '" + account.name + "' or the access key is taken: choose another");
}

Result<> change_quota(state::Store& store, const std::string& name, const std::function<void(model::Quota&)>& change) {
  const auto edit = [&](model::Account& account, control::Change&) -> Result<> {
    change(account.quota);
    return {};
  };
  TRY(change_account(store, name, edit));
  return {};
}

Result<model::AccessKey> add_access_key(state::Store& store, const std::string& name, const std::string& access_key,
                                        const std::string& secret_key) {
  const model::AccessKey key = TRY(make_access_key(access_key, secret_key));
  const auto add = [&](model::Account& account, control::Change& change) -> Result<> {
    if (account.access_keys.size() >= kMaxKeys) {
      return Error(ErrorCode::kInvalid,
                   "the account '" + name + "' has " + std::to_string(kMaxKeys) + " access keys: delete one first");
    }
    account.access_keys.push_back(key);
    change.expect(state::Compare::absent(owner_key(key.id)));
    change.put(owner_key(key.id), account.id.text());
    return {};
  };
  if (TRY(change_account(store, name, add))) return key;
  return Error(ErrorCode::kExists, "the access key '" + key.id + "' is taken: choose another");
}

Result<> remove_access_key(state::Store& store, const std::string& name, const std::string& access_key) {
  const auto remove = [&](model::Account& account, control::Change& change) -> Result<> {
    if (std::erase_if(account.access_keys, [&](const model::AccessKey& key) { return key.id == access_key; }) == 0) {
      return Error(ErrorCode::kNotFound,
                   "the account '" + name + "' has no access key '" + access_key.substr(0, kMaxText) + "'");
    }
    change.erase(state::KeyRange::key(owner_key(access_key)));
    return {};
  };
  TRY(change_account(store, name, remove));
  return {};
}

}  // namespace pileus::ec2
