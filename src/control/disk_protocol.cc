#include "control/disk_protocol.h"

#include <algorithm>

#include "control/internal/disk_tasks.h"

namespace pileus::control {
namespace {

using internal::Json;
using internal::missing;

Result<model::Layers> layers_of(const Json& object, const char* field, std::size_t most = model::kMaxLayers) {
  model::Layers layers = TRY(internal::texts_of(object, field));
  if (layers.size() > most || !std::ranges::all_of(layers, is_layer_id)) return missing(field);
  return layers;
}

Json encode_volume(const VolumeTask& task) {
  return {{"id", task.id.text()},
          {"goal", model::name(task.goal)},
          {"epoch", task.epoch},
          {"size_gib", task.size_gib},
          {"layers", task.layers},
          {"image_name", task.image_name},
          {"instance", task.instance.text()},
          {"device", task.device},
          {"observed", model::encode(task.observed)}};
}

Result<VolumeTask> parse_volume(const Json& object) {
  if (!object.is_object()) return missing("volumes");
  VolumeTask task;
  task.id = TRY(internal::id_of<model::VolumeId>(object, "id"));
  const std::string goal = TRY(internal::text_of(object, "goal"));
  const auto known = model::parse_name<VolumeGoal>(goal);
  if (!known) return missing("goal");
  task.goal = *known;
  task.epoch = TRY(internal::number_of(object, "epoch"));
  task.size_gib = TRY(internal::number_of(object, "size_gib"));
  task.layers = TRY(layers_of(object, "layers"));
  task.image_name = TRY(internal::text_of(object, "image_name"));
  task.instance = TRY(internal::id_of<model::InstanceId>(object, "instance"));
  task.device = TRY(internal::text_of(object, "device"));
  task.observed = TRY(internal::record_of<model::VolumeObserved>(object, "observed"));
  return task;
}

Json encode_snapshot(const SnapshotTask& task) {
  return {{"id", task.id.text()},
          {"volume", task.volume.text()},
          {"with_reboot", task.with_reboot},
          {"moment", task.moment},
          {"observed", model::encode(task.observed)}};
}

Result<SnapshotTask> parse_snapshot(const Json& object) {
  if (!object.is_object()) return missing("snapshots");
  SnapshotTask task;
  task.id = TRY(internal::id_of<model::SnapshotId>(object, "id"));
  task.volume = TRY(internal::id_of<model::VolumeId>(object, "volume"));
  task.with_reboot = TRY(internal::number_of(object, "with_reboot"));
  // An older cloud manager knows of none.
  if (object.contains("moment")) task.moment = TRY(internal::number_of(object, "moment"));
  task.observed = TRY(internal::record_of<model::SnapshotObserved>(object, "observed"));
  return task;
}

Json encode_transfer(const TransferTask& task) {
  return {{"desired", model::encode(task.desired)}, {"observed", model::encode(task.observed)}};
}

Result<TransferTask> parse_transfer(const Json& object) {
  if (!object.is_object()) return missing("transfers");
  TransferTask task;
  task.desired = TRY(internal::record_of<model::TransferDesired>(object, "desired"));
  task.observed = TRY(internal::record_of<model::TransferObserved>(object, "observed"));
  return task;
}

Result<const Json*> list_of(const Json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_array()) return missing(field);
  return &*found;
}

bool good_layers(const model::Layers& layers) {
  return layers.size() <= model::kMaxLayers && std::ranges::all_of(layers, is_layer_id);
}

}  // namespace

bool is_layer_id(std::string_view text) {
  constexpr std::size_t kDigits = 64;
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == kDigits && std::ranges::all_of(text, is_digit);
}

void internal::encode_disk_tasks(const DiskTasks& tasks, Json& message) {
  Json volumes = Json::array();
  for (const VolumeTask& task : tasks.volumes) volumes.push_back(encode_volume(task));
  Json snapshots = Json::array();
  for (const SnapshotTask& task : tasks.snapshots) snapshots.push_back(encode_snapshot(task));
  Json transfers = Json::array();
  for (const TransferTask& task : tasks.transfers) transfers.push_back(encode_transfer(task));
  message["transfers"] = std::move(transfers);
  message["volumes"] = std::move(volumes);
  message["snapshots"] = std::move(snapshots);
  message["needed_layers"] = tasks.needed_layers;
  message["layers_ahead"] = tasks.layers_ahead;
  message["layer_sources"] = tasks.layer_sources;
}

Result<DiskTasks> internal::parse_disk_tasks(const Json& message) {
  DiskTasks tasks;
  const Json* volumes = TRY(list_of(message, "volumes"));
  for (const Json& each : *volumes) tasks.volumes.push_back(TRY(parse_volume(each)));
  const Json* snapshots = TRY(list_of(message, "snapshots"));
  for (const Json& each : *snapshots) tasks.snapshots.push_back(TRY(parse_snapshot(each)));
  if (message.contains("transfers")) {  // an older cloud manager has none
    const Json* transfers = TRY(list_of(message, "transfers"));
    for (const Json& each : *transfers) tasks.transfers.push_back(TRY(parse_transfer(each)));
  }
  tasks.needed_layers = TRY(layers_of(message, "needed_layers", SIZE_MAX));
  if (message.contains("layers_ahead")) {  // an older cloud manager has none
    tasks.layers_ahead = TRY(layers_of(message, "layers_ahead", SIZE_MAX));
  }
  const auto sources = message.find("layer_sources");
  if (sources == message.end() || !sources->is_object()) return missing("layer_sources");
  for (const auto& [layer, addresses] : sources->items()) {
    if (!is_layer_id(layer)) return missing("layer_sources");
    tasks.layer_sources[layer] = TRY(texts_of(*sources, layer.c_str()));
  }
  return tasks;
}

std::string encode(const VolumeObservation& message) {
  return internal::dump({{"observed", model::encode(message.observed)},
                         {"deleted", message.deleted},
                         {"what", message.what},
                         {"why", message.why}});
}

Result<VolumeObservation> parse_volume_observation(std::string_view text) {
  const Json object = TRY(internal::parse_object(text));
  VolumeObservation message;
  message.observed = TRY(internal::record_of<model::VolumeObserved>(object, "observed"));
  if (!good_layers(message.observed.layers)) return missing("layers");
  message.deleted = TRY(internal::flag_of(object, "deleted"));
  message.what = TRY(internal::text_of(object, "what"));
  message.why = TRY(internal::text_of(object, "why"));
  return message;
}

std::string encode(const SnapshotObservation& message) {
  return internal::dump({{"observed", model::encode(message.observed)}, {"what", message.what}, {"why", message.why}});
}

Result<SnapshotObservation> parse_snapshot_observation(std::string_view text) {
  const Json object = TRY(internal::parse_object(text));
  SnapshotObservation message;
  message.observed = TRY(internal::record_of<model::SnapshotObserved>(object, "observed"));
  if (!good_layers(message.observed.layers) || message.observed.progress_percent > 100) return missing("observed");
  message.what = TRY(internal::text_of(object, "what"));
  message.why = TRY(internal::text_of(object, "why"));
  return message;
}

std::string encode(const TransferObservation& message) {
  return internal::dump({{"observed", model::encode(message.observed)}});
}

Result<TransferObservation> parse_transfer_observation(std::string_view text) {
  const Json object = TRY(internal::parse_object(text));
  TransferObservation message;
  message.observed = TRY(internal::record_of<model::TransferObserved>(object, "observed"));
  const auto is_good = [](const model::ImportedDisk& disk) { return is_layer_id(disk.layer); };
  const bool good = std::ranges::all_of(message.observed.disks, is_good) && message.observed.progress_percent <= 100 &&
                    message.observed.message.size() <= internal::kMaxText;
  if (!good) return missing("observed");
  return message;
}

}  // namespace pileus::control
