#include "ec2/filters.h"

#include <gtest/gtest.h>

#include "ec2/pages.h"
#include "http/uri.h"

namespace pileus::ec2 {
namespace {

struct Thing {
  std::string name;
  model::Tags tags;
};
const model::Tags& tags_of(const Thing& thing) { return thing.tags; }
constexpr Filter<Thing> kFilters[] = {{"name", [](const Thing& thing) { return Texts{thing.name}; }},
                                      {"long", [](const Thing& thing) { return flag(thing.name.size() > 3); }}};

Parameters read(std::string_view form) {
  Parameters parameters;
  EXPECT_TRUE(parameters.add_form(form).ok());
  return parameters;
}

bool passes(const Thing& thing, std::string_view form) {
  const auto set = FilterSet<Thing>::read(read(form), kFilters, tags_of);
  EXPECT_TRUE(set.ok()) << form;
  return set->pass(thing);
}

std::string refusal(std::string_view form) {
  const auto set = FilterSet<Thing>::read(read(form), kFilters, tags_of);
  return set.ok() ? "" : set.error().message;
}

// By the definition, in exponential time.
bool matches_naively(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return matches_naively(pattern.substr(1), text) || (!text.empty() && matches_naively(pattern, text.substr(1)));
  }
  if (pattern[0] == '\\' && pattern.size() > 1) {
    return !text.empty() && text[0] == pattern[1] && matches_naively(pattern.substr(2), text.substr(1));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         matches_naively(pattern.substr(1), text.substr(1));
}

std::vector<std::string> all_texts(std::string_view letters, std::size_t most) {
  std::vector<std::string> texts = {""};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i].size() == most) break;
    for (const char c : letters) texts.push_back(texts[i] + c);
  }
  return texts;
}

TEST(Globs, AgreeWithTheirDefinitionOnAllShortPatternsAndTexts) {
  const auto patterns = all_texts("ab*?\\", 5);
  const auto texts = all_texts("ab*", 4);
  for (const std::string& pattern : patterns) {
    for (const std::string& text : texts) {
      ASSERT_EQ(matches(pattern, text), matches_naively(pattern, text)) << pattern << " " << text;
    }
  }
}

TEST(Globs, ManyStarsTakeNoLongTime) {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "a*";
  EXPECT_FALSE(matches(pattern + "b", std::string(20'000, 'a')));
}

TEST(Filters, AllHaveToFitByAnyOfTheirValues) {
  const Thing thing{"first", {{"stage", "test"}, {"empty", ""}}};
  EXPECT_TRUE(passes(thing, ""));
  EXPECT_TRUE(passes(thing, "Filter.1.Name=name&Filter.1.Value.1=x&Filter.1.Value.2=f*"));
  EXPECT_TRUE(passes(thing, "Filter.1.Name=name&Filter.1.Value.1=first&Filter.2.Name=long&Filter.2.Value.1=true"));
  EXPECT_FALSE(passes(thing, "Filter.1.Name=name&Filter.1.Value.1=first&Filter.2.Name=long&Filter.2.Value.1=false"));
  EXPECT_FALSE(passes(thing, "Filter.1.Name=name&Filter.1.Value.1=First")) << "case counts";
}

TEST(Filters, OfTags) {
  const Thing thing{"first", {{"stage", "test"}, {"owner", "me"}}};
  EXPECT_TRUE(passes(thing, "Filter.1.Name=tag:stage&Filter.1.Value.1=test"));
  EXPECT_FALSE(passes(thing, "Filter.1.Name=tag:stage&Filter.1.Value.1=me")) << "key and value belong together";
  EXPECT_FALSE(passes(thing, "Filter.1.Name=tag:other&Filter.1.Value.1=*"));
  EXPECT_TRUE(passes(thing, "Filter.1.Name=tag-key&Filter.1.Value.1=own*"));
  EXPECT_TRUE(passes(thing, "Filter.1.Name=tag-value&Filter.1.Value.1=me"));
  const Thing odd{"x", {{"value", "1"}, {"y", "2"}}};
  EXPECT_FALSE(passes(odd, "Filter.1.Name=tag-key&Filter.1.Value.1=1")) << "a value is no key";
}

TEST(Filters, UnknownOnesAreRefused) {
  EXPECT_EQ(refusal("Filter.1.Name=colour&Filter.1.Value.1=red"), "The filter 'colour' is invalid");
  EXPECT_EQ(refusal("Filter.1.Name=tag:&Filter.1.Value.1=red"), "The filter 'tag:' is invalid");
  EXPECT_EQ(refusal("Filter.1.Name=name"), "The filter 'name' has no value");
  EXPECT_EQ(refusal("Filter.1.Value.1=a"), "") << "clients send empty ones";
}

std::pair<std::vector<std::string>, std::string> page_of(const std::vector<std::string>& all, std::string_view form) {
  const Reply<Page> page = read_page(read(form), 1);
  EXPECT_TRUE(page.ok());
  pugi::xml_document document;
  std::vector<std::string> written;
  write_page(
      *page, all, document, [](const std::string& id) { return id; },
      [&](const std::string& id) { written.push_back(id); });
  return {written, document.child("nextToken").text().get()};
}

TEST(Pages, GoOnWhereTheyEndedWhateverHappensBetween) {
  using Ids = std::vector<std::string>;
  const auto [first, token] = page_of({"a", "b", "c", "d"}, "MaxResults=2");
  EXPECT_EQ(first, (Ids{"a", "b"}));
  ASSERT_NE(token, "");
  const std::string form = "MaxResults=2&NextToken=" + http::encode_uri(token);
  EXPECT_EQ(page_of({"a", "b", "c", "d"}, form).first, (Ids{"c", "d"}));
  EXPECT_EQ(page_of({"a", "b", "c", "d"}, form).second, "") << "no token at the end";
  EXPECT_EQ(page_of({"a", "aa", "c", "d"}, form).first, (Ids{"c", "d"}));
  EXPECT_EQ(page_of({"a"}, form).first, Ids());
}

TEST(Pages, RefuseWhatIsNone) {
  EXPECT_EQ(read_page(read("NextToken=nonsense")).error().code, "InvalidNextToken");
  EXPECT_EQ(read_page(read("MaxResults=4")).error().code, "InvalidParameterValue");
  EXPECT_EQ(read_page(read("MaxResults=-1")).error().code, "InvalidParameterValue");
  EXPECT_EQ(read_page(read("MaxResults=5000"))->limit, 1000U);
}

}  // namespace
}  // namespace pileus::ec2
