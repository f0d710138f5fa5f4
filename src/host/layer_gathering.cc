#include "host/layer_gathering.h"

namespace pileus::host {
namespace {

std::string percent(double part) { return std::to_string(static_cast<int>(part * 10) * 10) + " %"; }

// For owners of instances, who are not told of hosts and their folders: the log has more.
std::string reason(ErrorCode why) {
  switch (why) {
    case ErrorCode::kNotFound: return "no host that has it can be reached";
    case ErrorCode::kCorrupt: return "what another host sent of it is damaged";
    case ErrorCode::kExhausted: return "there is no room for it on this host";
    default: return "it cannot be stored on this host";
  }
}

}  // namespace

Result<Gathered> gather(LayerWorker& worker, const store::LayerFolder& folder, const std::vector<std::string>& ids,
                        const std::map<std::string, std::vector<std::string>>& sources) {
  std::vector<store::Layer> layers;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto known = sources.find(ids[i]);
    const LayerWorker::State state =
        worker.fetch(ids[i], known == sources.end() ? std::vector<std::string>() : known->second);
    if (!state.id) {
      const std::string which = "layer " + std::to_string(i + 1) + " of " + std::to_string(ids.size());
      const bool fails = !state.failure.empty();
      return Gathered{std::nullopt, "fetching " + which + ": " + (fails ? reason(state.why) : percent(state.part)),
                      fails};
    }
    layers.push_back(TRY(folder.layer(ids[i])));
  }
  return Gathered{std::move(layers), "", false};
}

}  // namespace pileus::host
