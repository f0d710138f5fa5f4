// Gathering the layers of a disk: those that are here, and those that other hosts have.
#pragma once

#include <map>

#include "host/layer_worker.h"

namespace pileus::host {

struct Gathered {
  std::optional<std::vector<store::Layer>> layers;  // all of them are here
  std::string waits;     // else: for what, a sentence
  bool fails = false;    // what is waited for has failed, and is tried again
};
// Never waits; to be called again until all are here.
Result<Gathered> gather(LayerWorker& worker, const store::LayerFolder& folder, const std::vector<std::string>& ids,
                        const std::map<std::string, std::vector<std::string>>& sources);

}  // namespace pileus::host
