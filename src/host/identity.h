// What an instance's computer says of itself. cloud-init's data source Ec2 takes a machine for one of EC2's, and so asks its
// metadata service, when product UUID and serial number are equal and begin with "ec2". Images of ours spare themselves
// cloud-init at later boots where the board's asset tag is the instance they know, and the note says that there is no user
// data (src/image/recipes/debian/setup.sh).
#pragma once

#include "model/instance.h"
#include "vmm/config.h"

namespace pileus::host {

vmm::SystemTexts system_of(const model::InstanceDesired& desired);

}  // namespace pileus::host
