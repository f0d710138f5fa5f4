// Idempotency: a client that repeats a request with the same token gets the same answer, and nothing is done twice.
#pragma once

#include "control/records.h"

namespace pileus::control {

inline constexpr std::size_t kMaxToken = 64;  // ASCII characters
inline constexpr model::Millis kTokenLife = 24ULL * 3600 * 1000;  // after the last of what it made is gone

// kInvalid: a token that EC2 would refuse.
Result<> check_token(std::string_view token);

// The answer that was given for the token, or nothing: it is new. kExists: it was used with other parameters
// (IdempotentParameterMismatch).
Result<std::optional<std::string>> earlier_answer(state::Store& store, const std::string& key,
                                                  std::string_view parameters);

// Binds the token to the answer: the transaction fails if the token has been used meanwhile.
void bind_token(Change& change, const std::string& key, const model::Idempotency& binding);

}  // namespace pileus::control
