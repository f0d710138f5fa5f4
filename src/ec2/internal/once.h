// Requests with a client token: what one makes is made once, and a repeated one gets the first one's answer.
#pragma once

#include <functional>
#include <optional>

#include "ec2/call.h"

namespace pileus::ec2 {

// What tells two requests with the same token apart.
std::string request_digest(const Parameters& parameters);

ApiError token_mismatch();

// What a request of this action with this request's client token was answered before; nothing when there was none, or there
// is no token. IdempotentParameterMismatch.
Reply<std::optional<std::string>> earlier_answer(const Call& call, std::string_view action);

// Puts into the transaction what is to be made, and returns the answer that is kept: an id.
using Make = std::function<Reply<std::string>(control::Change&)>;

// Calls `make` and commits, again and again while others change what it was made from; not at all for a token that was
// used. IdempotentParameterMismatch, and what `make` refuses.
Reply<std::string> make_once(const Call& call, std::string_view action, const Make& make);

}  // namespace pileus::ec2
