// Call: one request to an action, and what the action works with.
#pragma once

#include <functional>
#include <pugixml.hpp>
#include <string>

#include "control/clock.h"
#include "control/migration.h"
#include "ec2/accounts.h"
#include "ec2/live.h"
#include "ec2/parameters.h"

namespace pileus::ec2 {

struct ApiSettings {
  std::string region = "pileus-1";
  std::vector<std::string> zones = {"pileus-1a"};
  // The console's output of an instance, as far back as its host keeps it; kNotFound when the host cannot be asked.
  std::function<Result<std::string>(const model::InstancePlaced&)> console_output;
  // Begins to move an instance to another host, and tells which; empty: that is not offered.
  std::function<Result<model::HostId>(const control::MigrationWish&)> migrate;
  std::string authority_fingerprint;  // of the cloud: what its join tokens end with
  Live* live = nullptr;  // null: none is offered
  // Of each account: how many requests a second it may send in the long run, and how many at once after a rest.
  u32 request_rate = 1000;
  u32 request_burst = 5000;
};

// Hosts and instances as controllers see them, shared by the requests.
class Catalogue {
 public:
  explicit Catalogue(std::shared_ptr<control::SharedView> view) : view_(std::move(view)) {}
  // Calls `use` with a view that holds all that was committed before, on one thread at a time.
  Result<> read(const std::function<void(const control::View&)>& use);

 private:
  const std::shared_ptr<control::SharedView> view_;
};

struct Call {
  state::Store& store;
  const control::Clock& clock;
  Catalogue& catalogue;
  Accounts& accounts;
  const ApiSettings& settings;
  model::Account account;  // who asks
  std::string access_key;
  const Parameters& parameters;

  // All records of a kind that the account has, by id. Kinds that have no observed half or whose callers need none.
  template <typename Record>
  Reply<std::vector<Record>> records(model::IdKind kind) const {
    std::vector<Record> result;
    const state::Snapshot all =
        TRY(store.get(state::Get{state::KeyRange::prefix(std::string(model::kind_prefix(kind)))}));
    for (const state::KeyValue& entry : all.entries) {
      if (model::split_key(kind, entry.key).part != "desired") continue;
      Record record = TRY(model::decode<Record>(entry.value).with(entry.key));
      if (record.account == account.id) result.push_back(std::move(record));
    }
    return result;
  }
};

// What the account does to its object, for the object's events: in the same transaction.
template <model::IdKind kKind>
Result<> tell(const Call& call, control::Change& change, model::Id<kKind> id, std::string what, std::string why = {}) {
  return change.add_event(call.store, model::events_key(id),
                          {call.clock.now(), call.account.id.text(), std::move(what), std::move(why)});
}

// The id in a text, or EC2's refusals InvalidX.Malformed and InvalidX.NotFound of `kind` ("InstanceID").
template <typename Id>
Reply<Id> parse_id(const std::string& text, const std::string& kind) {
  Result<Id> id = Id::parse(text);
  if (id) return *id;
  if (id.error().code() == ErrorCode::kNotFound) {
    return ApiError("Invalid" + kind + ".NotFound", "The id '" + text.substr(0, 40) + "' does not exist");
  }
  return ApiError("Invalid" + kind + ".Malformed", "Invalid id: \"" + text.substr(0, 40) + "\"");
}

// Again and again while others change what the transaction was made from. `attempt` returns whether it was committed.
Reply<> retry(const std::function<Reply<bool>()>& attempt);

}  // namespace pileus::ec2
