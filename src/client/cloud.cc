#include "client/cloud.h"

#include <array>
#include <random>
#include <string_view>
#include <thread>

#include "http/uri.h"

namespace pileus::client {
namespace {

constexpr std::string_view kEc2Version = "2016-11-15";
constexpr std::string_view kStsVersion = "2011-06-15";
constexpr int kMaxPages = 1000;
constexpr std::chrono::seconds kPatience{30};
constexpr int kTries = 8;  // with pauses that double: 13 to 25 s
constexpr std::chrono::milliseconds kFirstPause{100};

bool is_sts(std::string_view action) { return action == "GetCallerIdentity"; }

// Reading does no harm twice.
bool is_repeatable(std::string_view action) {
  return action.starts_with("Describe") || action.starts_with("Get") || action.starts_with("PileusDescribe");
}

ErrorCode kind_of(std::string_view code) {
  if (code.ends_with("NotFound")) return ErrorCode::kNotFound;
  if (code.ends_with("Duplicate")) return ErrorCode::kExists;
  constexpr std::array kPermission = {"AuthFailure", "UnauthorizedOperation", "SignatureDoesNotMatch",
                                      "OperationNotPermitted", "RequestExpired"};
  for (const std::string_view each : kPermission) {
    if (code == each) return ErrorCode::kPermission;
  }
  if (code == "InsufficientInstanceCapacity" || code.ends_with("LimitExceeded")) return ErrorCode::kExhausted;
  if (code == "InternalError" || code == "Unavailable" || code == "ServiceUnavailable") return ErrorCode::kIo;
  return ErrorCode::kInvalid;
}

}  // namespace

std::string encode_form(const Parameters& parameters) {
  std::string body;
  for (const auto& [name, value] : parameters) {
    if (!body.empty()) body += '&';
    body += http::encode_uri(name) + "=" + http::encode_uri(value);
  }
  return body;
}

Result<Cloud> Cloud::connect(Settings settings) {
  Cloud cloud(std::move(settings));
  http::ClientOptions options;
  options.ca = cloud.settings_.ca;
  cloud.http_ = TRY(http::Client::create(options));
  return cloud;
}

// What was refused because the account sends too many requests was not done, so each kind may be sent again. Who was refused at
// the same time comes back at different ones.
Result<Answer> Cloud::ask(const std::string& action, const Parameters& parameters) const {
  std::minstd_rand chance{std::random_device{}()};
  std::chrono::milliseconds pause = kFirstPause;
  for (int left = kTries; true; pause *= 2) {
    Answer answer = TRY(ask_once(action, parameters));
    if (answer.error_code != "RequestLimitExceeded" || --left == 0) return answer;
    std::this_thread::sleep_for(pause + pause * (chance() % 100) / 100);
  }
}

Result<Answer> Cloud::ask_once(const std::string& action, const Parameters& parameters) const {
  Parameters all = parameters;
  all["Action"] = action;
  all["Version"] = is_sts(action) ? kStsVersion : kEc2Version;
  http::ClientRequest request;
  request.method = "POST";
  request.url = settings_.endpoint + (settings_.endpoint.ends_with('/') ? "" : "/");
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  request.body = encode_form(all);
  request.sign = http::SignatureV4{.access_key = settings_.access_key,
                                   .secret_key = settings_.secret_key,
                                   .region = settings_.region,
                                   .service = is_sts(action) ? "sts" : "ec2"};
  request.timeout = kPatience;
  request.repeatable = is_repeatable(action);
  Result<http::Response> response = http_->send(request);
  if (!response && response.error().code() == ErrorCode::kNotFound) {
    return Error(ErrorCode::kNotFound, "no cloud answers at " + settings_.endpoint + ": `pileus up` starts one here");
  }
  if (!response) return std::move(response).error().with(action);
  return parse_answer(response->status, response->body).with(settings_.endpoint);
}

Result<Answer> Cloud::call(const std::string& action, const Parameters& parameters) const {
  Answer answer = TRY(ask(action, parameters));
  if (answer.ok()) return answer;
  return Error(kind_of(answer.error_code), answer.error_message + " (" + answer.error_code + ")");
}

Result<std::vector<Answer>> Cloud::pages(const std::string& action, Parameters parameters) const {
  std::vector<Answer> result;
  for (int page = 0; page < kMaxPages; ++page) {
    result.push_back(TRY(call(action, parameters)));
    const std::string token = result.back().root.text("nextToken");
    if (token.empty()) return result;
    parameters["NextToken"] = token;
  }
  return Error(ErrorCode::kExhausted, action + ": the answer has too many pages");
}

}  // namespace pileus::client
