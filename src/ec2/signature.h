// Who asks: Signature V4 (in the header Authorization, or in the query of a presigned URL) and V2.
// Source: AWS, "Signature Version 4 signing process" and "Signature Version 2 signing process".
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "ec2/parameters.h"
#include "http/message.h"
#include "model/instance.h"

namespace pileus::ec2 {

// How far a request's date may be from ours, either way.
inline constexpr model::Millis kMaxSkew = 15ULL * 60 * 1000;

struct Signer {
  std::string access_key;
  std::string region;     // of V4's scope; empty for V2
  std::string service;    // "ec2", "sts"
  std::string signature;  // as sent: the same one again is the same request again
  model::Millis good_until = 0;  // then its date refuses it
};

// The secret of an access key; nothing when there is none or it is disabled.
using FindSecret = std::function<std::optional<std::string>(const std::string& access_key)>;

// `parameters` are those of query and body together. Refusals:
//   MissingAuthenticationToken  403  it is not signed
//   IncompleteSignature         400  the signature cannot be read
//   AuthFailure                 401  nobody has that access key, or the signature is not made with its secret
//   RequestExpired              400  its date is too far from ours, or the presigned URL is past its time
Reply<Signer> verify_signature(const http::Request& request, const Parameters& parameters, model::Millis now,
                               const FindSecret& find_secret);

}  // namespace pileus::ec2
