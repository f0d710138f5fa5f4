#include "ec2/pages.h"

#include "http/base64.h"

namespace pileus::ec2 {
namespace {

constexpr std::string_view kMark = "after:";
constexpr i64 kMost = 1000;

}  // namespace

Reply<Page> read_page(const Parameters& parameters, i64 least) {
  Page page;
  const i64 limit = TRY(parameters.integer("MaxResults", 0));
  if (parameters.has("MaxResults")) {
    if (limit < least) {
      return ApiError("InvalidParameterValue", "Value (" + std::to_string(limit) +
                                                   ") for parameter maxResults is invalid: " + "it is at least " +
                                                   std::to_string(least));
    }
    page.limit = static_cast<std::size_t>(std::min(limit, kMost));
  }
  const std::string& token = parameters.get("NextToken");
  if (token.empty()) return page;
  const std::optional<std::string> text = http::decode_base64(token);
  if (!text || !text->starts_with(kMark)) return ApiError("InvalidNextToken", "The token is none that was given here");
  page.after = text->substr(kMark.size());
  return page;
}

void add_next_token(pugi::xml_node answer, const std::string& last_id) {
  add(answer, "nextToken", http::encode_base64(std::string(kMark) + last_id));
}

}  // namespace pileus::ec2
