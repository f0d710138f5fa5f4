#include "control/join_tokens.h"

#include <charconv>

namespace pileus::control {
namespace {

constexpr int kTries = 8;
constexpr std::string_view kWayOut = "; `pileus host token create` on the cloud's side makes another";

// Of 128 random bits' hash 64: who knows them knows nothing of the rest.
model::JoinTokenId id_of(std::string_view hash) {
  constexpr std::size_t kDigits = 16;
  const std::string_view digits = hash.substr(0, kDigits);
  u64 value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return model::JoinTokenId(value);
}

model::Millis ended_at(const model::JoinToken& token) {
  return token.revoked_at != 0 ? std::min(token.revoked_at, token.expires_at) : token.expires_at;
}

// Each new one clears away: there are few, and nobody else needs to look after them.
Result<> forget_ended(state::Store& store, model::Millis now) {
  for (const model::JoinToken& token : TRY(list_join_tokens(store))) {
    if (ended_at(token) + kEndedTokenLife > now) continue;
    Change change;
    change.erase(state::KeyRange::prefix(model::record_key(model::IdKind::kJoinToken, token.id.text(), "")));
    TRY(change.commit(store));
  }
  return {};
}

}  // namespace

std::string_view name(JoinTokenState state) {
  constexpr std::array<std::string_view, 4> kNames = {"good", "used", "expired", "revoked"};
  return kNames[static_cast<std::size_t>(state)];
}

JoinTokenState state_of(const model::JoinToken& token, model::Millis now) {
  if (token.revoked_at != 0) return JoinTokenState::kRevoked;
  if (token.once && token.uses > 0) return JoinTokenState::kUsed;
  return token.expires_at <= now ? JoinTokenState::kExpired : JoinTokenState::kGood;
}

Result<MadeJoinToken> make_join_token(state::Store& store, const Clock& clock, const NewJoinToken& wish) {
  if (wish.life < kShortestTokenLife || wish.life > kLongestTokenLife) {
    return Error(ErrorCode::kInvalid, "a join token lives from a minute to a year (8760h), not " +
                                          std::to_string(wish.life.count()) + " seconds");
  }
  const model::Millis now = clock.now();
  TRY(forget_ended(store, now));
  MadeJoinToken made;
  made.token = TRY(http::JoinToken::make(wish.fingerprint));
  made.record.secret_hash = made.token.secret_hash();
  made.record.id = id_of(made.record.secret_hash);
  made.record.made_by = wish.made_by;
  made.record.once = wish.once;
  made.record.created_at = now;
  made.record.expires_at = now + static_cast<model::Millis>(std::chrono::milliseconds(wish.life).count());
  Change change;
  change.update(model::desired_key(made.record.id), made.record, 0);
  TRY(change.add_event(store, model::events_key(made.record.id), {now, wish.made_by, "created", ""}));
  if (TRY(change.commit(store))) return made;
  return Error(ErrorCode::kExists, "there is a join token " + made.record.id.text() + " already: try again");
}

Result<std::vector<model::JoinToken>> list_join_tokens(state::Store& store) {
  std::vector<model::JoinToken> result;
  const std::string prefix(model::kind_prefix(model::IdKind::kJoinToken));
  const state::Snapshot all = TRY(store.get(state::Get{state::KeyRange::prefix(prefix)}));
  for (const state::KeyValue& entry : all.entries) {
    if (model::split_key(model::IdKind::kJoinToken, entry.key).part != "desired") continue;
    result.push_back(TRY(decode_entry<model::JoinToken>(entry)).value);
  }
  return result;
}

Result<Stored<model::JoinToken>> find_good_join_token(state::Store& store, model::Millis now,
                                                      const std::string& secret) {
  http::JoinToken shown;
  shown.secret = secret;
  const std::string hash = shown.secret_hash();
  const auto refuse = [](const std::string& why) { return Error(ErrorCode::kPermission, why + std::string(kWayOut)); };
  const model::JoinTokenId id = id_of(hash);
  auto token = TRY(read<model::JoinToken>(store, model::desired_key(id)));
  if (!token.exists() || token.value.secret_hash != hash) return refuse("the cloud does not know this join token");
  switch (state_of(token.value, now)) {
    case JoinTokenState::kGood: return token;
    case JoinTokenState::kUsed: return refuse("the join token " + id.text() + " was for one host, which has joined");
    case JoinTokenState::kExpired: return refuse("the join token " + id.text() + " has expired");
    case JoinTokenState::kRevoked: return refuse("the join token " + id.text() + " was revoked");
  }
  return refuse("the join token is not good");
}

Result<> revoke_join_token(state::Store& store, const Clock& clock, model::JoinTokenId id, const std::string& by) {
  const std::string key = model::desired_key(id);
  for (int i = 0; i < kTries; ++i) {
    auto token = TRY(read<model::JoinToken>(store, key));
    if (!token.exists()) return Error(ErrorCode::kNotFound, "there is no join token " + id.text());
    if (state_of(token.value, clock.now()) != JoinTokenState::kGood) return {};
    token.value.revoked_at = clock.now();
    Change change;
    change.update(key, token.value, token.revision);
    TRY(change.add_event(store, model::events_key(id), {token.value.revoked_at, by, "revoked", ""}));
    if (TRY(change.commit(store))) return {};
  }
  return Error(ErrorCode::kBusy, "the join token " + id.text() + " is being used by others: try again");
}

}  // namespace pileus::control
