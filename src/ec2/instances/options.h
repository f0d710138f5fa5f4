// What can be chosen of an instance at launch and afterwards, as requests say it.
#pragma once

#include <pugixml.hpp>

#include "ec2/call.h"
#include "model/instance.h"

namespace pileus::ec2 {

inline constexpr std::size_t kMaxUserData = 16 * kKiB;

// The options that `given` names, over those that there are. InvalidParameterValue, UnsupportedOperation.
Reply<> read_metadata_options(const Parameters& given, model::MetadataOptions& options);
void write_metadata_options(pugi::xml_node node, const model::MetadataOptions& options, bool applied);
// "stop" or "terminate"
Reply<bool> terminates_on_shutdown(const std::string& text);
Reply<std::string> read_credits(const std::string& text);
// "default" or "disabled"
Reply<bool> read_recovery(const std::string& text);

// Changes the desired record of an instance; `act` works on it.
template <typename Act>
Reply<> change_instance(const Call& call, model::InstanceId id, Act act) {
  return retry([&]() -> Reply<bool> {
    auto desired = TRY(control::read<model::InstanceDesired>(call.store, model::desired_key(id)));
    if (!desired.exists()) {
      return ApiError("InvalidInstanceID.NotFound", "The instance ID '" + id.text() + "' does not exist");
    }
    TRY(act(desired.value));
    desired.value.generation++;
    control::Change change;
    change.update(model::desired_key(id), desired.value, desired.revision);
    return TRY(change.commit(call.store)).has_value();
  });
}

}  // namespace pileus::ec2
