// Join tokens: made with a life, found by the secret that a machine shows, revoked, and forgotten a week after their end.
// The secret itself is in no record.
#pragma once

#include <chrono>

#include "control/clock.h"
#include "control/records.h"
#include "http/cloud_certificates.h"
#include "model/join_token.h"

namespace pileus::control {

inline constexpr std::chrono::hours kUsualTokenLife{24};
inline constexpr std::chrono::minutes kShortestTokenLife{1};
inline constexpr std::chrono::hours kLongestTokenLife{24 * 365};
inline constexpr model::Millis kEndedTokenLife =
    7ULL * 24 * 3600 * 1000;  // for whoever asks why it is not good any more

struct NewJoinToken {
  std::string fingerprint;  // of the cloud's authority
  std::string made_by;
  std::chrono::seconds life = kUsualTokenLife;
  bool once = false;
};
struct MadeJoinToken {
  model::JoinToken record;
  http::JoinToken token;  // with the secret: shown once, kept nowhere
};

enum class JoinTokenState : u8 { kGood, kUsed, kExpired, kRevoked };
std::string_view name(JoinTokenState state);
JoinTokenState state_of(const model::JoinToken& token, model::Millis now);

// kInvalid: a life that is too short or too long.
Result<MadeJoinToken> make_join_token(state::Store& store, const Clock& clock, const NewJoinToken& wish);
// By id.
Result<std::vector<model::JoinToken>> list_join_tokens(state::Store& store);
// Of whoever shows this secret. kPermission, with the reason and the way out: nobody joins by it (any more).
Result<Stored<model::JoinToken>> find_good_join_token(state::Store& store, model::Millis now,
                                                      const std::string& secret);
// No host joins by it from now on; those that did stay. kNotFound; good for one that has ended already.
Result<> revoke_join_token(state::Store& store, const Clock& clock, model::JoinTokenId id, const std::string& by);

}  // namespace pileus::control
