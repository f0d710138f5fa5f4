#include "ec2/signature.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <vector>

#include "ec2/internal/digest.h"
#include "ec2/xml.h"
#include "http/base64.h"
#include "http/uri.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr i64 kMaxPresigned = 7LL * 24 * 3600;  // seconds

ApiError incomplete(const std::string& what) { return {"IncompleteSignature", "The signature " + what}; }
ApiError not_valid() { return {"AuthFailure", "AWS was not able to validate the provided access credentials", 401}; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

// The moment that a text names by strptime's format, in UTC.
std::optional<model::Millis> parse_date(const std::string& text, const char* format) {
  std::tm parts = {};
  const char* end = ::strptime(text.c_str(), format, &parts);
  if (end == nullptr || (*end != '\0' && *end != '.' && *end != 'Z')) return {};
  const std::time_t seconds = ::timegm(&parts);
  if (seconds < 0) return {};
  return static_cast<model::Millis>(seconds) * 1000;
}

std::optional<model::Millis> parse_any_date(const std::string& text) {
  for (const char* format : {"%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%S", "%a, %d %b %Y %H:%M:%S GMT"}) {
    if (const auto time = parse_date(text, format)) return time;
  }
  return {};
}

// Until when it is good.
Reply<model::Millis> check_date(model::Millis date, model::Millis now) {
  const model::Millis apart = date > now ? date - now : now - date;
  if (apart <= kMaxSkew) return date + kMaxSkew;
  return ApiError("RequestExpired", "The request was made at " + format_time(date) + " by its own date; here it is " +
                                        format_time(now) + ": set the clock right");
}

struct QueryPair {
  std::string name;
  std::string value;
  auto operator<=>(const QueryPair&) const = default;
};

// The pairs of the URL's query, decoded and encoded again, in order.
Reply<std::vector<QueryPair>> query_pairs(std::string_view query) {
  std::vector<QueryPair> pairs;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    QueryPair each;
    each.name = http::encode_uri(TRY(decode_form_text(pair.substr(0, equals))));
    if (equals < pair.size()) each.value = http::encode_uri(TRY(decode_form_text(pair.substr(equals + 1))));
    pairs.push_back(std::move(each));
  }
  std::ranges::sort(pairs);
  return pairs;
}

std::string join(const std::vector<QueryPair>& pairs, std::string_view without) {
  std::string text;
  for (const QueryPair& pair : pairs) {
    if (pair.name == without) continue;
    if (!text.empty()) text += '&';
    text += pair.name + "=" + pair.value;
  }
  return text;
}

// Each part of the path, encoded once more than it was sent.
std::string canonical_path(const std::string& path) {
  std::string result;
  for (const std::string& part : split(path.empty() ? "/" : path, '/')) result += "/" + http::encode_uri(part);
  return result.substr(1);
}

// What a V4 signature says of itself.
struct V4 {
  std::string access_key;
  std::string day;
  std::string region;
  std::string service;
  std::vector<std::string> signed_headers;
  std::string signature;
  std::string date;      // as sent
  i64 expires = -1;      // seconds; presigned only
};

Reply<> read_credential(V4& v4, const std::string& credential) {
  const std::vector<std::string> parts = split(credential, '/');
  if (parts.size() != 5 || parts[4] != "aws4_request")
    return incomplete("has no credential KEY/DAY/REGION/SERVICE/aws4_request");
  v4.access_key = parts[0];
  v4.day = parts[1];
  v4.region = parts[2];
  v4.service = parts[3];
  return {};
}

Reply<V4> read_header(const http::Request& request, std::string_view authorization) {
  V4 v4;
  authorization.remove_prefix(kAlgorithm.size());
  for (const std::string& part : split(authorization, ',')) {
    const std::string_view text = trim(part);
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string_view name = text.substr(0, equals);
    const std::string value(text.substr(std::min(equals + 1, text.size())));
    if (name == "Credential") TRY(read_credential(v4, value));
    if (name == "SignedHeaders") v4.signed_headers = split(value, ';');
    if (name == "Signature") v4.signature = value;
  }
  v4.date = request.headers.get("x-amz-date");
  if (v4.date.empty()) v4.date = request.headers.get("date");
  return v4;
}

Reply<V4> read_presigned(const Parameters& parameters) {
  V4 v4;
  if (parameters.get("X-Amz-Algorithm") != kAlgorithm) return incomplete("is of an unknown algorithm");
  TRY(read_credential(v4, parameters.get("X-Amz-Credential")));
  v4.signed_headers = split(parameters.get("X-Amz-SignedHeaders"), ';');
  v4.signature = parameters.get("X-Amz-Signature");
  v4.date = parameters.get("X-Amz-Date");
  v4.expires = TRY(parameters.integer("X-Amz-Expires", -1));
  if (v4.expires < 0 || v4.expires > kMaxPresigned) return incomplete("has no X-Amz-Expires of 0 to 604800 seconds");
  return v4;
}

Reply<model::Millis> check_time(const V4& v4, model::Millis now) {
  const std::optional<model::Millis> date = parse_any_date(v4.date);
  if (!date) return incomplete("has no date: send X-Amz-Date");
  std::string day = format_time(*date).substr(0, 10);
  std::erase(day, '-');
  if (day != v4.day) return incomplete("is for another day than the request's date");
  if (v4.expires < 0) return check_date(*date, now);
  const model::Millis good_until = *date + static_cast<model::Millis>(v4.expires) * 1000;
  if (*date > now + kMaxSkew || now > good_until) {
    return ApiError("RequestExpired", "The URL was good from " + format_time(*date) + " for " +
                                          std::to_string(v4.expires) + " seconds; here it is " + format_time(now));
  }
  return good_until;
}

Reply<std::string> canonical_request(const http::Request& request, const V4& v4) {
  const std::vector<QueryPair> pairs = TRY(query_pairs(request.query));
  std::string text =
      request.method + "\n" + canonical_path(request.path) + "\n" + join(pairs, "X-Amz-Signature") + "\n";
  bool has_host = false;
  std::string names;
  for (const std::string& name : v4.signed_headers) {
    std::string value;
    bool space = false;
    for (const char c : trim(request.headers.get(name))) {
      if (c != ' ' || !space) value += c;
      space = c == ' ';
    }
    text += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
    has_host |= name == "host";
  }
  if (!has_host) return incomplete("does not cover the header 'host'");
  const std::string hash = hex(sha256(request.body));
  const std::string_view told = request.headers.get("x-amz-content-sha256");
  if (!told.empty() && told != hash) {
    return ApiError("AuthFailure", "The body is not the one that x-amz-content-sha256 tells of", 401);
  }
  text += "\n" + names + "\n" + hash;
  return text;
}

std::string v4_key(const std::string& secret, const V4& v4) {
  std::string key = hmac_sha256("AWS4" + secret, v4.day);
  for (const std::string& part : {v4.region, v4.service, std::string("aws4_request")}) key = hmac_sha256(key, part);
  return key;
}

Reply<Signer> verify_v4(const http::Request& request, const V4& v4, model::Millis now, const FindSecret& find_secret) {
  if (v4.access_key.empty() || v4.signature.empty()) return incomplete("lacks its credential or itself");
  if (v4.service != "ec2" && v4.service != "sts")
    return incomplete("is for a service that is not here: '" + v4.service + "'");
  const model::Millis good_until = TRY(check_time(v4, now));
  const std::optional<std::string> secret = find_secret(v4.access_key);
  if (!secret) return not_valid();
  const std::optional<model::Millis> date = parse_any_date(v4.date);
  std::string stamp = format_time(*date).substr(0, 19) + "Z";
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  const std::string scope = v4.day + "/" + v4.region + "/" + v4.service + "/aws4_request";
  const std::string to_sign =
      std::string(kAlgorithm) + "\n" + stamp + "\n" + scope + "\n" + hex(sha256(TRY(canonical_request(request, v4))));
  if (!equal_secrets(hex(hmac_sha256(v4_key(*secret, v4), to_sign)), v4.signature)) return not_valid();
  return Signer{v4.access_key, v4.region, v4.service, v4.signature, good_until};
}

Reply<Signer> verify_v2(const http::Request& request, const Parameters& parameters, model::Millis now,
                        const FindSecret& find_secret) {
  if (parameters.get("SignatureVersion") != "2") return incomplete("is of an unknown version");
  const std::string& method = parameters.get("SignatureMethod");
  if (method != "HmacSHA256" && method != "HmacSHA1") return incomplete("is made by an unknown method");
  const std::string& expires = parameters.get("Expires");
  const std::optional<model::Millis> date = parse_any_date(expires.empty() ? parameters.get("Timestamp") : expires);
  if (!date) return incomplete("has no date: send Timestamp");
  model::Millis good_until = *date;
  if (expires.empty()) {
    good_until = TRY(check_date(*date, now));
  } else if (now > *date || *date > now + static_cast<model::Millis>(kMaxPresigned) * 1000) {
    return ApiError("RequestExpired", "The request was good until " + format_time(*date));
  }
  const std::optional<std::string> secret = find_secret(parameters.get("AWSAccessKeyId"));
  if (!secret) return not_valid();
  std::vector<QueryPair> pairs;
  for (const auto& [name, value] : parameters.all()) pairs.push_back({http::encode_uri(name), http::encode_uri(value)});
  std::ranges::sort(pairs);
  std::string host(request.headers.get("host"));
  std::ranges::transform(host, host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string to_sign = request.method + "\n" + host + "\n" + (request.path.empty() ? "/" : request.path) + "\n" +
                              join(pairs, "Signature");
  const std::string made = method == "HmacSHA256" ? hmac_sha256(*secret, to_sign) : hmac_sha1(*secret, to_sign);
  const std::string& signature = parameters.get("Signature");
  if (!equal_secrets(http::encode_base64(made), signature)) return not_valid();
  return Signer{parameters.get("AWSAccessKeyId"), {}, "ec2", signature, good_until};
}

}  // namespace

Reply<Signer> verify_signature(const http::Request& request, const Parameters& parameters, model::Millis now,
                               const FindSecret& find_secret) {
  const std::string_view authorization = request.headers.get("authorization");
  if (!authorization.empty()) {
    if (!authorization.starts_with(kAlgorithm)) return incomplete("is of an unknown algorithm");
    return verify_v4(request, TRY(read_header(request, authorization)), now, find_secret);
  }
  if (parameters.has("X-Amz-Signature")) return verify_v4(request, TRY(read_presigned(parameters)), now, find_secret);
  if (parameters.has("Signature")) return verify_v2(request, parameters, now, find_secret);
  return ApiError("MissingAuthenticationToken", "The request is not signed: sign it with an access key of the cloud",
                  403);
}

}  // namespace pileus::ec2
