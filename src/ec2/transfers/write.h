// Tasks in answers.
#pragma once

#include "control/disk_view.h"
#include "ec2/xml.h"

namespace pileus::ec2 {

void write_import_image(pugi::xml_node node, const control::TransferView& task);
void write_import_snapshot(pugi::xml_node node, const control::TransferView& task);
void write_export_image(pugi::xml_node node, const control::TransferView& task);

// "active", "completed", "deleted"; "error" for a snapshot, which is what its waiter looks for.
std::string_view status_of(const control::TransferView& task);

}  // namespace pileus::ec2
