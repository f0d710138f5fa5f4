#include "ec2/launch_templates/data.h"

#include <gtest/gtest.h>

#include "ec2/xml.h"

namespace pileus::ec2 {
namespace {

Parameters read(std::string_view form) {
  Parameters parameters;
  EXPECT_TRUE(parameters.add_form(form).ok()) << form;
  return parameters;
}

std::string shown(std::string_view form) {
  pugi::xml_document document;
  write_template_data(add(document, "data"), read(form));
  std::string text = to_text(document);
  return text.substr(text.find('\n') + 1);
}

TEST(TemplateData, IsShownAsElements) {
  EXPECT_EQ(shown("ImageId=ami-1&Placement.AvailabilityZone=a"),
            "<data><imageId>ami-1</imageId><placement><availabilityZone>a</availabilityZone></placement></data>");
  EXPECT_EQ(shown("SecurityGroupId.1=sg-1&SecurityGroupId.2=sg-2"),
            "<data><securityGroupIdSet><item>sg-1</item><item>sg-2</item></securityGroupIdSet></data>");
  EXPECT_EQ(shown("NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.SecurityGroupId.1=sg-1"),
            "<data><networkInterfaceSet><item><deviceIndex>0</deviceIndex>"
            "<groupSet><groupId>sg-1</groupId></groupSet></item></networkInterfaceSet></data>");
  EXPECT_EQ(shown("TagSpecification.1.Tag.1.Key=k&TagSpecification.1.Tag.1.Value=v"),
            "<data><tagSpecificationSet><item><tagSet><item><key>k</key><value>v</value></item></tagSet></item>"
            "</tagSpecificationSet></data>");
}

TEST(TemplateData, GivesWayToTheRequest) {
  const Parameters merged =
      merge_launch(read("ImageId=ami-1&InstanceType=small&SecurityGroupId.1=a&SecurityGroupId.2=b&"
                        "Placement.AvailabilityZone=z"),
                   read("InstanceType=large&SecurityGroupId.1=c&Placement.GroupName=g&KeyName="));
  EXPECT_EQ(merged.get("ImageId"), "ami-1");
  EXPECT_EQ(merged.get("InstanceType"), "large");
  EXPECT_EQ(merged.list("SecurityGroupId"), std::vector<std::string>{"c"});
  EXPECT_EQ(merged.get("Placement.AvailabilityZone"), "z");
  EXPECT_EQ(merged.get("Placement.GroupName"), "g");
}

TEST(TemplateData, JoinsTags) {
  const Parameters merged =
      merge_launch(read("TagSpecification.1.Tag.1.Key=a"), read("TagSpecification.0.Tag.1.Key=b"));
  const std::vector<Parameters> specifications = merged.structures("TagSpecification");
  ASSERT_EQ(specifications.size(), 2U);
  EXPECT_EQ(specifications[0].get("Tag.1.Key"), "a");
  EXPECT_EQ(specifications[1].get("Tag.1.Key"), "b");
}

TEST(TemplateData, IsCheckedAsALaunch) {
  EXPECT_EQ(read_template_data(read("LaunchTemplateData.Monitoring.Enabled=perhaps")).error().code,
            "InvalidParameterValue");
  EXPECT_EQ(read_template_data(read("ImageId=ami-1")).error().code, "MissingParameter");
  const auto data = read_template_data(read("LaunchTemplateData.KeyName=k&LaunchTemplateData.%3Cbad%3E=1"));
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->all().size(), 1U) << "names that would be no names of elements are dropped";
}

}  // namespace
}  // namespace pileus::ec2
