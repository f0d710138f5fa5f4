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

Reply<std::string> make_once(const Call& call, std::string_view action, const Make& make) {
  const std::string& token = call.parameters.get("ClientToken");
  const Result<> good = control::check_token(token);
  if (!good) return ApiError("InvalidParameterValue", good.error().message());
  const std::string key = model::token_key(call.account.id, action, token);
  const std::string digest = request_digest(call.parameters);
  std::string answer;
  const auto attempt = [&]() -> Reply<bool> {
    if (!token.empty()) {
      const Result<std::optional<std::string>> earlier = control::earlier_answer(call.store, key, digest);
      if (!earlier && earlier.error().code() == ErrorCode::kExists) return token_mismatch();
      if (!earlier) return earlier.error();
      if (*earlier) {
        answer = **earlier;
        return true;
      }
    }
    control::Change change;
    answer = TRY(make(change));
    if (!token.empty()) control::bind_token(change, key, {digest, answer, call.clock.now()});
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  return answer;
}

}  // namespace pileus::ec2
