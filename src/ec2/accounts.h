// Accounts: who has which access key, kept in memory by watching the state store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "control/records.h"
#include "model/account.h"

namespace pileus::ec2 {

class Accounts {
 public:
  explicit Accounts(state::Store& store) : store_(store) {}

  // The account that an enabled access key is of. Any thread.
  Result<std::optional<model::Account>> find(const std::string& access_key);
  Result<std::vector<model::Account>> list();

 private:
  Result<> sync();

  state::Store& store_;
  std::mutex mutex_;  // of all below
  std::unique_ptr<state::Watch> watch_;
  std::map<std::string, model::Account> accounts_;  // by key in the store
  std::map<std::string, std::string> owners_;       // of an access key: the account's key in the store
};

// An account with one new access key. kExists for a name or access key that is taken.
struct NewAccount {
  std::string name;
  bool administrator = false;
  std::string access_key;  // both empty: made up
  std::string secret_key;
  model::Quota quota;
};
Result<model::Account> create_account(state::Store& store, const NewAccount& request, model::Millis now);

// Changes the account of this name. kNotFound: there is none.
Result<> change_quota(state::Store& store, const std::string& name, const std::function<void(model::Quota&)>& change);
// Another access key for it; both texts empty: made up. kExists: it is taken.
Result<model::AccessKey> add_access_key(state::Store& store, const std::string& name, const std::string& access_key,
                                        const std::string& secret_key);
// kNotFound: the account has no such key.
Result<> remove_access_key(state::Store& store, const std::string& name, const std::string& access_key);

}  // namespace pileus::ec2
