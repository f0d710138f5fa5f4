// Images in answers.
#pragma once

#include "ec2/images/objects.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// The disks that an instance of it begins with: the root's first.
std::vector<model::ImageDisk> disks_of(const Image& image);
// <item>s of <blockDeviceMapping>.
void write_image_disks(pugi::xml_node set, const Image& image);

}  // namespace pileus::ec2
