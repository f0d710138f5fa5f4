#include "cpu_commands.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/engine.h"
#include "output.h"

namespace pileus::cli {

Result<int> cpu_list(image::Library&, const CommandLine& line) {
  using Json = nlohmann::json;
  const engine::CpuFeatures supported = engine::bt_cpu_features();
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"NAME", "HERE", "DESCRIPTION"}};
  for (const engine::CpuModel& model : engine::cpu_models()) {
    const Result<engine::CpuFeatures> features = engine::resolve_model(model.name, supported);
    if (line.quiet) std::printf("%s\n", std::string(model.name).c_str());
    rows.push_back({std::string(model.name), features ? "yes" : "no", std::string(model.description)});
    list.push_back({{"name", model.name},
                    {"description", model.description},
                    {"available", features.ok()},
                    {"reason", features ? "" : features.error().message()},
                    {"features", features ? engine::feature_names(*features) : ""}});
  }
  if (line.quiet) return 0;
  if (line.json) std::printf("%s\n", list.dump(2).c_str());
  else print_table(rows);
  return 0;
}

}  // namespace pileus::cli
