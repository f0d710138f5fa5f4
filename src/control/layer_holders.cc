#include "control/layer_holders.h"

namespace pileus::control {

void LayerHolders::change(model::HostId host, const model::Layers& before, const model::Layers& now) {
  for (const std::string& layer : now) hosts_[layer].insert(host);
  const std::set<std::string> kept(now.begin(), now.end());
  for (const std::string& layer : before) {
    const auto found = hosts_.find(layer);
    if (found == hosts_.end() || kept.contains(layer)) continue;
    found->second.erase(host);
    if (found->second.empty()) hosts_.erase(found);
  }
}

const std::set<model::HostId>& LayerHolders::of(const std::string& layer) const {
  static const std::set<model::HostId> kNobody;
  const auto found = hosts_.find(layer);
  return found == hosts_.end() ? kNobody : found->second;
}

}  // namespace pileus::control
