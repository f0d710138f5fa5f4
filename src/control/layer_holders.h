// LayerHolders: which hosts have a layer, as they say themselves; an index over the view's hosts.
#pragma once

#include <set>
#include <string>
#include <unordered_map>

#include "model/host.h"
#include "model/volume.h"

namespace pileus::control {

class LayerHolders {
 public:
  // The host had `before`, and has `now`.
  void change(model::HostId host, const model::Layers& before, const model::Layers& now);
  // Nobody's is empty.
  const std::set<model::HostId>& of(const std::string& layer) const;

 private:
  std::unordered_map<std::string, std::set<model::HostId>> hosts_;
};

}  // namespace pileus::control
