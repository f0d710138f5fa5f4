// Snapshots in answers.
#pragma once

#include "ec2/snapshots/objects.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// Into the element given. `state` is what the element of its state is called: "status", "state".
void write_snapshot(pugi::xml_node item, const SnapshotEntry& entry, const char* state = "status");

}  // namespace pileus::ec2
