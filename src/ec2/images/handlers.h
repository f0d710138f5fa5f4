// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// create.cc
Reply<> create_image(Call& call, pugi::xml_node answer);
Reply<> register_image(Call& call, pugi::xml_node answer);
Reply<> copy_image(Call& call, pugi::xml_node answer);
Reply<> deregister_image(Call& call, pugi::xml_node answer);
// describe.cc
Reply<> describe_images(Call& call, pugi::xml_node answer);
// attributes.cc
Reply<> describe_image_attribute(Call& call, pugi::xml_node answer);
Reply<> modify_image_attribute(Call& call, pugi::xml_node answer);
Reply<> reset_image_attribute(Call& call, pugi::xml_node answer);
Reply<> enable_image_deprecation(Call& call, pugi::xml_node answer);
Reply<> disable_image_deprecation(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
