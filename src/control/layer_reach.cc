#include "control/layer_reach.h"

#include <algorithm>

namespace pileus::control {

bool is_shared(const View& view, const std::string& layer) {
  return std::ranges::any_of(view.holders_of(layer), [&](model::HostId id) {
    const HostView* const host = view.find(id);
    return host != nullptr && host->alive != 0 && !host->layers.value.address.empty();
  });
}

std::optional<std::set<model::HostId>> layer_hosts(const View& view, const model::InstanceDesired& instance) {
  std::optional<std::set<model::HostId>> hosts;
  for (const model::DiskWish& disk : instance.disks) {
    const VolumeView* const volume = view.disks().find(disk.volume);
    if (volume == nullptr) continue;
    for (const std::string& layer : volume->desired.value.begins_as) {
      const std::set<model::HostId>& holders = view.holders_of(layer);
      if (holders.empty() || is_shared(view, layer)) continue;
      if (!hosts) hosts = holders;
      else std::erase_if(*hosts, [&](model::HostId host) { return !holders.contains(host); });
    }
  }
  return hosts;
}

}  // namespace pileus::control
