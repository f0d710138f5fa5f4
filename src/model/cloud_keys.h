// Where the store keeps what there is once in a cloud. The layout is docs/formats/state-keys.md.
#pragma once

#include <string_view>

namespace pileus::model {

// The name of the cloud manager that leads; bound to its lease.
inline constexpr std::string_view kLeaderKey = "v1/cloud/leader";
// The certificate authority, which all cloud managers share.
inline constexpr std::string_view kIdentityKey = "v1/cloud/identity";

}  // namespace pileus::model
