#include "model/codec.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "model/internal/fields.h"

namespace pileus::model {
namespace {

using Json = nlohmann::json;

// Gives every field a value of its own, so that no field can be lost or swapped unseen.
struct Filler {
  u64 next = 1;
  template <typename T>
  void later(const char* name, T& value) {
    (*this)(name, value);
  }
  template <typename T>
  void set(T& value) {
    if constexpr (std::same_as<T, bool>) {
      value = !value;
    } else if constexpr (Named<T>) {
      value = static_cast<T>(Names<T>::kAll.size() - 1);
    } else if constexpr (std::integral<T>) {
      value = static_cast<T>(next++);
    } else if constexpr (std::same_as<T, std::string>) {
      value = "text \"" + std::to_string(next++) + "\" \xC3\xA9";
    } else if constexpr (std::same_as<T, Tags>) {
      value = {{"Name", std::to_string(next++)}, {"", "empty key"}};
    } else if constexpr (std::same_as<T, AccountId>) {
      value = AccountId::random();
    } else if constexpr (requires { value.emplace_back(); }) {
      set(value.emplace_back());
      set(value.emplace_back());
    } else if constexpr (requires { T(u64{1}).text(); }) {
      value = T(next++);
    } else {
      internal::fields(*this, value);
    }
  }
  template <typename T>
  void operator()(const char*, T& value) {
    set(value);
  }
};

template <typename R>
class Codec : public ::testing::Test {};
using Records =
    ::testing::Types<Resources, InstanceType, InstanceDesired, InstancePlaced, InstanceObserved, HostDesired,
                     HostObserved, HostLayers, HostClaims, HostHealth, ImageDesired, ImageObserved, VolumeDesired,
                     VolumePlaced, VolumeObserved, SnapshotDesired, SnapshotObserved, TransferDesired, TransferPlaced,
                     TransferObserved, JoinToken, VpcDesired, VpcObserved, SubnetDesired, SubnetObserved,
                     InterfaceDesired, InterfaceObserved, AddressDesired, AddressObserved, SecurityGroup, Account,
                     KeyPair, PlacementGroup, InternetGateway, RouteTable, LaunchTemplate, LaunchTemplateVersion,
                     EventLog, Idempotency, ServedRequests>;
TYPED_TEST_SUITE(Codec, Records);

TYPED_TEST(Codec, GivesBackWhatItWasGiven) {
  TypeParam record;
  Filler().set(record);
  const auto decoded = decode<TypeParam>(encode(record));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  EXPECT_EQ(decoded.value(), record);
  EXPECT_FALSE(decoded.value() == TypeParam()) << "the filler changed nothing";
}

// Those that came with a later version: records of before lack them.
const std::set<std::string> kLaterFields = {"tunnel",
                                            "disk_full",
                                            "blocks",
                                            "wants_public",
                                            "more_addresses",
                                            "attached_since",
                                            "allocation",
                                            "elastic_address",
                                            "stop_protected",
                                            "terminate_on_shutdown",
                                            "monitored",
                                            "recovers",
                                            "cpu_credits",
                                            "metadata",
                                            "template_id",
                                            "template_version",
                                            "elastic_association",
                                            "attached_volumes",
                                            "deprecate_at",
                                            "clone_of",
                                            "awaits_disks",
                                            "copying",
                                            "moment",
                                            "clones",
                                            "migration",
                                            "migrations"};

// "disks" is an old field of instances, and a later one of images.
template <typename Record>
bool is_later(const std::string& name) {
  return kLaterFields.contains(name) || (std::same_as<Record, ImageDesired> && name == "disks");
}

TYPED_TEST(Codec, NamesTheMissingField) {
  const Json whole = Json::parse(encode(TypeParam()));
  for (const auto& [name, value] : whole.items()) {
    Json part = whole;
    part.erase(name);
    const auto decoded = decode<TypeParam>(part.dump());
    if (is_later<TypeParam>(name)) {
      ASSERT_TRUE(decoded.ok()) << name;
      EXPECT_EQ(decoded.value(), TypeParam());
      continue;
    }
    ASSERT_FALSE(decoded.ok()) << name;
    EXPECT_EQ(decoded.error().message(), "field \"" + name + "\" is missing");
  }
}

TYPED_TEST(Codec, NamesTheFieldOfTheWrongKind) {
  const Json whole = Json::parse(encode(TypeParam()));
  for (const auto& [name, value] : whole.items()) {
    Json bad = whole;
    bad[name] = 1.5;
    const auto decoded = decode<TypeParam>(bad.dump());
    ASSERT_FALSE(decoded.ok()) << name;
    EXPECT_TRUE(decoded.error().message().starts_with("field \"" + name + "\" ")) << decoded.error().message();
  }
}

TYPED_TEST(Codec, DropsUnknownFields) {
  TypeParam record;
  Filler().set(record);
  Json more = Json::parse(encode(record));
  more["of_a_later_version"] = Json::array({1, 2});
  const auto decoded = decode<TypeParam>(more.dump());
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(encode(decoded.value()), encode(record));
}

TEST(CodecErrors, GiveThePathOfANestedField) {
  Json bad = Json::parse(encode(InstanceDesired()));
  bad["wish"].erase("zone");
  EXPECT_EQ(decode<InstanceDesired>(bad.dump()).error().message(), "field \"wish.zone\" is missing");
}

TEST(CodecErrors, RefuseNumbersOutOfRange) {
  Json bad = Json::parse(encode(HostClaims()));
  bad["instances"] = u64{1} << 32;
  EXPECT_EQ(decode<HostClaims>(bad.dump()).error().message(), "field \"instances\" is too large");
  bad["instances"] = -1;
  EXPECT_EQ(decode<HostClaims>(bad.dump()).error().message(), "field \"instances\" is too small");
}

TEST(CodecErrors, RefuseIdsOfAnotherKind) {
  Json bad = Json::parse(encode(HostClaims()));
  bad["id"] = "i-0123456789abcdef0";
  EXPECT_EQ(decode<HostClaims>(bad.dump()).error().message(), "field \"id\" is not an id of its kind");
}

TEST(CodecErrors, RefuseWhatIsNoRecord) {
  for (const char* text : {"", "{", "[]", "null", "7", "\"text\"", "{\"id\":\"\xFF\"}"}) {
    const auto decoded = decode<HostClaims>(text);
    ASSERT_FALSE(decoded.ok()) << text;
    EXPECT_EQ(decoded.error().code(), ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(decode<HostClaims>(std::string(kMaxRecordSize + 1, ' ')).ok());
}

}  // namespace
}  // namespace pileus::model
