#include "ec2/api.h"

#include <algorithm>
#include <unordered_map>

#include "base/log.h"
#include "ec2/actions.h"
#include "ec2/signature.h"
#include "ec2/xml.h"
#include "http/certificates.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kVersion = "2016-11-15";
constexpr std::string_view kStsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";

std::string make_request_id() {
  Result<std::string> random = http::random_hex(16);
  std::string id = random ? *random : std::string(32, '0');
  for (const std::size_t at : {8U, 13U, 18U, 23U}) id.insert(at, "-");
  return id;
}

bool is_sts(std::string_view action) { return action == "GetCallerIdentity"; }

// Clients that have another way when an action is not there go by the code.
ApiError not_offered(const std::string& action) {
  constexpr std::size_t kLongestName = 80;
  const bool is_name = action.size() <= kLongestName && std::ranges::all_of(action, [](char c) {
                         return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                       });
  if (is_name) return {"UnsupportedOperation", "The action " + action + " is not offered by this cloud"};
  return {"InvalidAction", "The action " + action.substr(0, kLongestName) + " is not valid for this web service"};
}

http::Response xml_response(int status, const pugi::xml_document& document) {
  http::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "text/xml;charset=UTF-8"}};
  response.body = to_text(document);
  return response;
}

http::Response error_response(const ApiError& error, const std::string& request_id, bool sts) {
  pugi::xml_document document;
  if (sts) {
    pugi::xml_node root = add(document, "ErrorResponse");
    root.append_attribute("xmlns").set_value(std::string(kStsNamespace).c_str());
    pugi::xml_node inner = add(root, "Error");
    add(inner, "Type", error.status < 500 ? "Sender" : "Receiver");
    add(inner, "Code", error.code);
    add(inner, "Message", error.message);
    add(root, "RequestId", request_id);
  } else {
    pugi::xml_node root = add(document, "Response");
    pugi::xml_node inner = add(add(root, "Errors"), "Error");
    // Exactly these two, in this order: clients take them by their places.
    add(inner, "Code", error.code);
    add(inner, "Message", error.message);
    add(root, "RequestID", request_id);
  }
  return xml_response(error.status, document);
}

}  // namespace

// A bucket of requests for each account: filled at a rate, emptied by requests.
class Api::Throttle {
 public:
  Throttle(u32 rate, u32 burst) : per_millisecond_(rate / 1000.0), burst_(burst) {}

  bool admit(const std::string& account, model::Millis now) {
    const std::lock_guard lock(mutex_);
    Bucket& bucket = buckets_.try_emplace(account, Bucket{burst_, now}).first->second;
    const double passed = now > bucket.at ? static_cast<double>(now - bucket.at) : 0;
    bucket.tokens = std::min(burst_, bucket.tokens + passed * per_millisecond_);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

 private:
  struct Bucket {
    double tokens;
    model::Millis at;
  };
  const double per_millisecond_;
  const double burst_;
  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

Api::Api(state::Store& store, const control::Clock& clock, ApiSettings settings,
         std::shared_ptr<control::SharedView> view)
    : store_(store),
      clock_(clock),
      settings_(std::move(settings)),
      catalogue_(control::view_or_own(std::move(view), store)),
      accounts_(store),
      served_(store),
      throttle_(std::make_unique<Throttle>(settings_.request_rate, settings_.request_burst)) {}
Api::~Api() = default;

struct Api::Asked {
  std::string action;
  std::string version{kVersion};
  std::string request_id;
  pugi::xml_document document;
};

Reply<> Api::serve(const http::Request& request, Asked& asked) {
  if (request.method != "GET" && request.method != "POST") {
    return ApiError("UnsupportedProtocol", "The API takes GET and POST, not " + request.method.substr(0, 10), 405);
  }
  Parameters parameters;
  TRY(parameters.add_form(request.query));
  if (request.method == "POST") TRY(parameters.add_form(request.body));
  asked.action = parameters.get("Action");
  if (parameters.has("Version")) asked.version = parameters.get("Version");

  const model::Millis now = clock_.now();
  std::optional<model::Account> account;
  Result<> looked_up;
  const Signer signer =
      TRY(verify_signature(request, parameters, now, [&](const std::string& access_key) -> std::optional<std::string> {
        Result<std::optional<model::Account>> found = accounts_.find(access_key);
        if (!found) {
          looked_up = std::move(found).error();
          return {};
        }
        account = *found;
        if (!account) return {};
        for (const model::AccessKey& key : account->access_keys) {
          if (key.id == access_key) return key.secret;
        }
        return {};
      }));
  TRY(std::move(looked_up));
  if (asked.action.empty()) return ApiError("MissingAction", "The request names no Action");
  const Action* action = find_action(asked.action);
  if (action == nullptr) return not_offered(asked.action);
  if (!throttle_->admit(account->id.text(), now)) {
    return ApiError("RequestLimitExceeded", "Request limit exceeded: slow down", 503);
  }
  if (action->kind == Kind::kAdministrates && !account->administrator) {
    return ApiError("UnauthorizedOperation",
                    "You are not authorized to perform this operation: it is for administrators", 403);
  }
  TRY(check_parameters(*action, parameters));
  if (TRY(parameters.boolean("DryRun", false))) {
    return ApiError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412);
  }
  // What is served is remembered until then: nobody is to make that long, and so crowd out what others asked for.
  if (action->kind != Kind::kReads && signer.good_until > now + 2 * kMaxSkew) {
    return ApiError("AuthFailure",
                    "A signed URL for an action that changes something is good for 30 minutes at most: "
                    "sign it with a smaller X-Amz-Expires or Expires",
                    401);
  }
  if (action->kind != Kind::kReads && !TRY(served_.admit(signer.signature, signer.good_until, now))) {
    return ApiError("RequestExpired", "The same signed request was served before: sign it anew");
  }
  pugi::xml_node root = add(asked.document, (asked.action + "Response").c_str());
  if (is_sts(asked.action)) {
    root.append_attribute("xmlns").set_value(std::string(kStsNamespace).c_str());
  } else {
    root.append_attribute("xmlns").set_value(("http://ec2.amazonaws.com/doc/" + asked.version + "/").c_str());
    add(root, "requestId", asked.request_id);
  }
  Call call{store_, clock_, catalogue_, accounts_, settings_, *account, signer.access_key, parameters};
  TRY(action->act(call, is_sts(asked.action) ? add(root, (asked.action + "Result").c_str()) : root));
  if (is_sts(asked.action)) add(add(root, "ResponseMetadata"), "RequestId", asked.request_id);
  return {};
}

http::Response Api::handle(const http::Request& request) {
  counters_.requests++;
  Asked asked;
  asked.request_id = make_request_id();
  const Reply<> served = serve(request, asked);
  if (served.ok()) return xml_response(200, asked.document);
  const ApiError& error = served.error();
  (error.status < 500 ? counters_.refused : counters_.failed)++;
  if (error.code == "RequestLimitExceeded") counters_.throttled++;
  log::info("api: {} {}: {}: {}", asked.request_id, asked.action.substr(0, 80), error.code, error.message);
  return error_response(error, asked.request_id, is_sts(asked.action));
}

}  // namespace pileus::ec2
