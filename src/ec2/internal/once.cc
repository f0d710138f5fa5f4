#include "ec2/internal/once.h"

#include "control/tokens.h"
#include "ec2/internal/digest.h"
#include "http/uri.h"

namespace pileus::ec2 {

std::string request_digest(const Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters.all()) {
    const bool of_signature = name.starts_with("X-Amz-") || name == "Signature" || name == "Timestamp" ||
                              name == "Expires" || name == "AWSAccessKeyId" || name.starts_with("Signature");
    if (!of_signature && name != "ClientToken") text += http::encode_uri(name) + "=" + http::encode_uri(value) + "&";
  }
  return hex(sha256(text));
}

ApiError token_mismatch() { return {"IdempotentParameterMismatch", "The client token was used with other parameters"}; }

Reply<std::optional<std::string>> earlier_answer(const Call& call, std::string_view action) {
  const std::string& token = call.parameters.get("ClientToken");
  if (token.empty()) return std::optional<std::string>();
  const std::string key = model::token_key(call.account.id, action, token);
  Result<std::optional<std::string>> answer = control::earlier_answer(call.store, key, request_digest(call.parameters));
  if (answer) return std::move(answer).value();
  if (answer.error().code() == ErrorCode::kExists) return token_mismatch();
  return answer.error();
}

Reply<std::string> make_once(const Call& call, std::string_view action, const Make& make) {
  const std::string& token = call.parameters.get("ClientToken");
  const Result<> good = control::check_token(token);
  if (!good) return ApiError("InvalidParameterValue", good.error().message());
  const std::string key = model::token_key(call.account.id, action, token);
  std::string answer;
  const auto attempt = [&]() -> Reply<bool> {
    if (std::optional<std::string> earlier = TRY(earlier_answer(call, action))) {
      answer = std::move(*earlier);
      return true;
    }
    control::Change change;
    answer = TRY(make(change));
    if (!token.empty()) control::bind_token(change, key, {request_digest(call.parameters), answer, call.clock.now()});
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  return answer;
}

}  // namespace pileus::ec2
