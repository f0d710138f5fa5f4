// Volumes in answers.
#pragma once

#include "ec2/volumes/objects.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// Into the element given.
void write_volume(pugi::xml_node item, const VolumeEntry& entry);
void write_attachment(pugi::xml_node node, const VolumeEntry& entry);

}  // namespace pileus::ec2
