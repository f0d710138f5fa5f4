// What the actions of this group do, one function each. table.cc names them.
#pragma once

#include "ec2/call.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

// import.cc
Reply<> import_image(Call& call, pugi::xml_node answer);
Reply<> import_snapshot(Call& call, pugi::xml_node answer);
// export.cc
Reply<> export_image(Call& call, pugi::xml_node answer);
// describe.cc
Reply<> describe_import_image_tasks(Call& call, pugi::xml_node answer);
Reply<> describe_import_snapshot_tasks(Call& call, pugi::xml_node answer);
Reply<> describe_export_image_tasks(Call& call, pugi::xml_node answer);
// cancel.cc
Reply<> cancel_import_task(Call& call, pugi::xml_node answer);
Reply<> cancel_export_task(Call& call, pugi::xml_node answer);

}  // namespace pileus::ec2
