// Objects of the cloud that people name: by id, by the beginning of an id that only one has, or by the tag Name.
#pragma once

#include <string>
#include <vector>

#include "client/cloud.h"

namespace pileus::cli {

// A kind of object, in the words of the API and of people.
struct Kind {
  const char* thing;     // "volume"
  const char* describe;  // "DescribeVolumes"
  const char* set;       // "volumeSet"
  const char* id;        // "volumeId"
  const char* list;      // what shows all of them: "pileus volume ls"
};
inline constexpr Kind kVolumes = {"volume", "DescribeVolumes", "volumeSet", "volumeId", "pileus volume ls"};
inline constexpr Kind kSnapshots = {"snapshot", "DescribeSnapshots", "snapshotSet", "snapshotId", "pileus snapshot ls"};
inline constexpr Kind kImages = {"image", "DescribeImages", "imagesSet", "imageId", "pileus image ls --cloud"};

// The tag Name; empty: none.
std::string name_of(const client::Node& object);
// All that the account has or may use.
Result<std::vector<client::Node>> list_objects(const client::Cloud& cloud, const Kind& kind,
                                               const client::Parameters& parameters = {});
// kNotFound; kInvalid when several fit.
Result<client::Node> find_object(const client::Cloud& cloud, const Kind& kind, const std::string& text);
// Asks for it again and again until the element `state` is `wanted`. kTimeout; kIo when it is `failed`.
Result<> wait_for(const client::Cloud& cloud, const Kind& kind, const std::string& id, const char* state,
                  const std::string& wanted, const std::string& failed);

}  // namespace pileus::cli
