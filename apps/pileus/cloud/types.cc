// type: the table of instance types.
#include <cstdio>

#include "cloud/commands.h"
#include "cloud/session.h"
#include "output.h"
#include "print_json.h"

namespace pileus::cli {
Result<int> type_list(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  std::vector<std::vector<std::string>> rows = {{"NAME", "VCPUS", "MEMORY MIB"}};
  nlohmann::json array = nlohmann::json::array();
  for (const client::Answer& page : TRY(cloud.pages("DescribeInstanceTypes", {}))) {
    for (const client::Node& type : page.root.items("instanceTypeSet")) {
      rows.push_back(
          {type.text("instanceType"), type.text("vCpuInfo/defaultVCpus"), type.text("memoryInfo/sizeInMiB")});
      array.push_back({{"name", rows.back()[0]}, {"vcpus", rows.back()[1]}, {"memory_mib", rows.back()[2]}});
    }
  }
  if (line.json) print_json(array);
  else print_table(rows);
  return 0;
}

Result<int> type_set(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  TRY(cloud.call("PileusSetInstanceType", with_options(line, {{"InstanceType", line.name}})));
  return 0;
}

Result<int> type_remove(image::Library& library, const CommandLine& line) {
  const client::Cloud cloud = TRY(open_cloud(library));
  TRY(cloud.call("PileusWithdrawInstanceType", {{"InstanceType", line.name}}));
  return 0;
}

}  // namespace pileus::cli
