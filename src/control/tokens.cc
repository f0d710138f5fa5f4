#include "control/tokens.h"

#include <algorithm>

namespace pileus::control {

Result<> check_token(std::string_view token) {
  const bool ascii = std::ranges::all_of(token, [](char c) { return c >= ' ' && c <= '~'; });
  if (token.size() > kMaxToken || !ascii) {
    return Error(ErrorCode::kInvalid, "a client token has at most 64 ASCII characters: choose a shorter one");
  }
  return {};
}

Result<std::optional<std::string>> earlier_answer(state::Store& store, const std::string& key,
                                                  std::string_view parameters) {
  Stored<model::Idempotency> found = TRY(read<model::Idempotency>(store, key));
  if (!found.exists()) return std::optional<std::string>();
  if (found.value.parameters != parameters) {
    return Error(ErrorCode::kExists, "the client token was used with other parameters: choose a new one");
  }
  return std::optional<std::string>(std::move(found.value.answer));
}

void bind_token(Change& change, const std::string& key, const model::Idempotency& binding) {
  change.update(key, binding, 0);
}

}  // namespace pileus::control
