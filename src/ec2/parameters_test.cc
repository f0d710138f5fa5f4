#include "ec2/parameters.h"

#include <gtest/gtest.h>

#include "ec2/actions.h"

namespace pileus::ec2 {
namespace {

Parameters read(std::string_view form) {
  Parameters parameters;
  EXPECT_TRUE(parameters.add_form(form).ok()) << form;
  return parameters;
}

std::string refusal(const char* action, std::string_view form) {
  const Reply<> checked = check_parameters(*find_action(action), read(form));
  return checked.ok() ? "" : checked.error().code + ": " + checked.error().message;
}

TEST(Parameters, AreDecoded) {
  const Parameters parameters = read("a=1+2%203&b=%c3%bc&&c&d=x=y");
  EXPECT_EQ(parameters.get("a"), "1 2 3");
  EXPECT_EQ(parameters.get("b"), "\xc3\xbc");
  EXPECT_FALSE(parameters.has("c"));
  EXPECT_EQ(parameters.get("d"), "x=y");
  for (const char* form : {"a=%", "a=%4", "a=%zz", "%=1"}) {
    Parameters bad;
    const Reply<> added = bad.add_form(form);
    ASSERT_FALSE(added.ok()) << form;
    EXPECT_EQ(added.error().code, "MalformedQueryString");
  }
}

TEST(Parameters, HaveALimit) {
  std::string form;
  for (std::size_t i = 0; i <= Parameters::kMaxCount; ++i) form += "a." + std::to_string(i) + "=b&";
  Parameters parameters;
  EXPECT_FALSE(parameters.add_form(form).ok());
}

TEST(Parameters, ListsBeginAnywhereAndHaveHoles) {
  using Texts = std::vector<std::string>;
  EXPECT_EQ(read("Id.1=a&Id.2=b&Id.10=c").list("Id"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(read("Id.0=a&Id.7=b").list("Id"), (Texts{"a", "b"}));
  EXPECT_EQ(read("Id.1=&Id.2=b").list("Id"), Texts{"b"});
  EXPECT_EQ(read("Id=a").list("Id"), Texts{"a"});
  EXPECT_EQ(read("Idx.1=a&Id.1.X=b&Id.=c&Id.x=d&Id.99999999999=e").list("Id"), Texts());
}

TEST(Parameters, StructuresNest) {
  const Parameters parameters =
      read("Filter.1.Name=a&Filter.1.Value.1=x&Filter.1.Value.2=y&Filter.2.Name=b&Filters.1.Name=c&Filter.Name=d");
  const std::vector<Parameters> filters = parameters.structures("Filter");
  ASSERT_EQ(filters.size(), 2U);
  EXPECT_EQ(filters[0].get("Name"), "a");
  EXPECT_EQ(filters[0].list("Value"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(filters[1].get("Name"), "b");
}

TEST(Parameters, BooleansInAllSpellings) {
  for (const char* yes : {"true", "True", "TRUE", "1"}) EXPECT_TRUE(*parse_boolean("a", yes)) << yes;
  for (const char* no : {"false", "False", "0"}) EXPECT_FALSE(*parse_boolean("a", no)) << no;
  for (const char* neither : {"yes", "2", "tru", " true"}) EXPECT_FALSE(parse_boolean("a", neither).ok()) << neither;
  EXPECT_TRUE(*read("a=").boolean("a", true)) << "an empty value is none";
}

TEST(Parameters, WholeNumbers) {
  EXPECT_EQ(*parse_integer("a", "-5"), -5);
  for (const char* bad : {"", "1.5", "1 ", "0x10", "99999999999999999999"}) EXPECT_FALSE(parse_integer("a", bad).ok());
}

TEST(Parameters, BytesComeInBase64WithLineBreaks) {
  EXPECT_EQ(*read("a=aGVs%0AbG8%3D").bytes("a"), "hello");
  EXPECT_FALSE(read("a=%21").bytes("a").ok());
}

TEST(Actions, TheTableChecksParameters) {
  EXPECT_EQ(refusal("RunInstances", "MinCount=1&MaxCount=1&ImageId=ami-1"), "");
  EXPECT_EQ(refusal("RunInstances", "MinCount=1&ImageId=ami-1"),
            "MissingParameter: The request must contain the parameter MaxCount");
  EXPECT_EQ(refusal("CreateTags", "Tag.1.Key=a"),
            "MissingParameter: The request must contain the parameter ResourceId");
  EXPECT_EQ(refusal("RunInstances", "MinCount=one&MaxCount=1&ImageId=ami-1").substr(0, 21), "InvalidParameterValue");
  EXPECT_EQ(refusal("RunInstances", "MinCount=1&MaxCount=1&ImageId=ami-1&BlockDeviceMapping.3.Ebs.VolumeSize=big")
                .substr(0, 21),
            "InvalidParameterValue");
  EXPECT_EQ(refusal("StopInstances", "InstanceId.1=a&Force=perhaps").substr(0, 21), "InvalidParameterValue");
  EXPECT_EQ(refusal("StopInstances", "InstanceId.1=a&SomethingNew=1"), "") << "newer clients send more";
}

TEST(Actions, EachHasOneRowAndItsDocumentation) {
  const std::string document = api_document();
  std::map<std::string_view, int> rows;
  for (const ActionGroup* const group : action_groups()) {
    for (const Action& action : group->actions) {
      EXPECT_EQ(++rows[action.name], 1) << action.name;
      EXPECT_NE(document.find("### " + std::string(action.name) + "\n"), std::string::npos);
      EXPECT_EQ(action.name.starts_with("Pileus"), group->title.starts_with("Pileus' own"));
    }
  }
}

}  // namespace
}  // namespace pileus::ec2
