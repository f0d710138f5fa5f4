// DiskTasks as part of a larger message.
#pragma once

#include "control/disk_protocol.h"
#include "control/internal/message_fields.h"

namespace pileus::control::internal {

// Adds its fields to `message`.
void encode_disk_tasks(const DiskTasks& tasks, Json& message);
Result<DiskTasks> parse_disk_tasks(const Json& message);

}  // namespace pileus::control::internal
