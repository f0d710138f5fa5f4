// The fields of each record, once for encoding and decoding. The names are the format: none changes its meaning.
#pragma once

#include <concepts>
#include <type_traits>

#include "model/account.h"
#include "model/event.h"
#include "model/host.h"
#include "model/image.h"
#include "model/join_token.h"
#include "model/launch_template.h"
#include "model/network.h"
#include "model/transfer.h"
#include "model/volume.h"

namespace pileus::model::internal {

template <typename R, typename T>
concept Record = std::same_as<std::remove_const_t<R>, T>;

template <typename V, Record<Resources> R>
void fields(V& v, R& r) {
  v("vcpus", r.vcpus);
  v("memory_mib", r.memory_mib);
  v("disk_gib", r.disk_gib);
}

template <typename V, Record<InstanceType> R>
void fields(V& v, R& r) {
  v("name", r.name);
  v("takes", r.takes);
  v("offered", r.offered);
}

template <typename V, Record<PlacementWish> R>
void fields(V& v, R& r) {
  v("zone", r.zone);
  v("engine", r.engine);
  v("cpu_model", r.cpu_model);
  v("group", r.group);
  v("partition", r.partition);
  v("host", r.host);
}

template <typename V, Record<DiskWish> R>
void fields(V& v, R& r) {
  v("device", r.device);
  v("volume", r.volume);
  v("size_gib", r.size_gib);
  v("delete_on_termination", r.delete_on_termination);
  v.later("attached_at", r.attached_at);
}

template <typename V, Record<InstanceDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("reservation", r.reservation);
  v("launch_index", r.launch_index);
  v("image", r.image);
  v("type", r.type);
  v("takes", r.takes);
  v("key_name", r.key_name);
  v("subnet", r.subnet);
  v("interfaces", r.interfaces);
  v("security_groups", r.security_groups);
  v("disks", r.disks);
  v("wish", r.wish);
  v("power", r.power);
  v("reboots", r.reboots);
  v("generation", r.generation);
  v("user_data", r.user_data);
  v("client_token", r.client_token);
  v("launched_at", r.launched_at);
  v("termination_protected", r.termination_protected);
  v("tags", r.tags);
  v.later("stop_protected", r.stop_protected);
  v.later("terminate_on_shutdown", r.terminate_on_shutdown);
  v.later("monitored", r.monitored);
  v.later("recovers", r.recovers);
  v.later("cpu_credits", r.cpu_credits);
  v.later("metadata", r.metadata);
  v.later("template_id", r.template_id);
  v.later("template_version", r.template_version);
  v.later("clone_of", r.clone_of);
  v.later("awaits_disks", r.awaits_disks);
}

template <typename V, Record<MetadataOptions> R>
void fields(V& v, R& r) {
  v("enabled", r.enabled);
  v("token_required", r.token_required);
  v("hop_limit", r.hop_limit);
  v("tags", r.tags);
}

template <typename V, Record<Migration> R>
void fields(V& v, R& r) {
  v("to", r.to);
  v("down", r.down);
  v("since", r.since);
  v("why", r.why);
}

template <typename V, Record<InstancePlaced> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("host", r.host);
  v("takes", r.takes);
  v("group", r.group);
  v("partition", r.partition);
  v("epoch", r.epoch);
  v("placed_at", r.placed_at);
  v("why", r.why);
  v.later("migration", r.migration);
  v.later("migrations", r.migrations);
}

template <typename V, Record<InstanceObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
  v("reason_code", r.reason_code);
  v("reason", r.reason);
  v("host", r.host);
  v("epoch", r.epoch);
  v("generation", r.generation);
  v("reboots", r.reboots);
  v("private_address", r.private_address);
  v("public_address", r.public_address);
  v("changed_at", r.changed_at);
  v.later("attached_volumes", r.attached_volumes);
}

template <typename V, Record<HostDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("name", r.name);
  v("mode", r.mode);
  v("zone", r.zone);
  v("rack", r.rack);
  v("cpu_percent", r.cpu_percent);
  v("memory_percent", r.memory_percent);
  v("disk_percent", r.disk_percent);
  v("reserved_memory_mib", r.reserved_memory_mib);
  v("tags", r.tags);
}

template <typename V, Record<HostObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("capacity", r.capacity);
  v("engines", r.engines);
  v("cpu_models", r.cpu_models);
  v("images", r.images);
  v("version", r.version);
  v("reported_at", r.reported_at);
  v.later("tunnel", r.tunnel);
  v.later("disk_full", r.disk_full);
}

template <typename V, Record<HostLayers> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("address", r.address);
  v("layers", r.layers);
}

template <typename V, Record<HostClaims> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("claimed", r.claimed);
  v("instances", r.instances);
}

template <typename V, Record<HostHealth> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
  v("changed_at", r.changed_at);
}

template <typename V, Record<JoinToken> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("secret_hash", r.secret_hash);
  v("made_by", r.made_by);
  v("once", r.once);
  v("uses", r.uses);
  v("created_at", r.created_at);
  v("expires_at", r.expires_at);
  v("revoked_at", r.revoked_at);
}

template <typename V, Record<ImageDisk> R>
void fields(V& v, R& r) {
  v("device", r.device);
  v("snapshot", r.snapshot);
  v("size_gib", r.size_gib);
  v("type", r.type);
  v("delete_on_termination", r.delete_on_termination);
}

template <typename V, Record<ImageDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("owner", r.owner);
  v("name", r.name);
  v("description", r.description);
  v("architecture", r.architecture);
  v("root_device", r.root_device);
  v("snapshot", r.snapshot);
  v("from_instance", r.from_instance);
  v("is_public", r.is_public);
  v("wanted", r.wanted);
  v("launch_accounts", r.launch_accounts);
  v("created_at", r.created_at);
  v("tags", r.tags);
  v.later("disks", r.disks);
  v.later("deprecate_at", r.deprecate_at);
}

template <typename V, Record<ImageObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
  v("reason", r.reason);
  v("size_gib", r.size_gib);
  v("manifest", r.manifest);
}

template <typename V, Record<VolumeChange> R>
void fields(V& v, R& r) {
  v("size_gib", r.size_gib);
  v("type", r.type);
  v("iops", r.iops);
  v("throughput", r.throughput);
  v("started_at", r.started_at);
}

template <typename V, Record<VolumeDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("zone", r.zone);
  v("size_gib", r.size_gib);
  v("type", r.type);
  v("iops", r.iops);
  v("throughput", r.throughput);
  v("snapshot", r.snapshot);
  v("image", r.image);
  v("begins_as", r.begins_as);
  v("wanted", r.wanted);
  v("attached_to", r.attached_to);
  v("changed_from", r.changed_from);
  v("created_at", r.created_at);
  v("tags", r.tags);
  v.later("copying", r.copying);
}

template <typename V, Record<VolumePlaced> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("host", r.host);
  v("epoch", r.epoch);
  v("leaving", r.leaving);
  v("layers", r.layers);
  v("placed_at", r.placed_at);
}

template <typename V, Record<VolumeObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
  v("host", r.host);
  v("epoch", r.epoch);
  v("size_gib", r.size_gib);
  v("handed_over", r.handed_over);
  v("layers", r.layers);
  v("reason", r.reason);
  v("changed_at", r.changed_at);
}

template <typename V, Record<SnapshotDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("volume", r.volume);
  v("size_gib", r.size_gib);
  v("description", r.description);
  v("with_reboot", r.with_reboot);
  v("is_public", r.is_public);
  v("accounts", r.accounts);
  v("started_at", r.started_at);
  v("tags", r.tags);
  v.later("moment", r.moment);
  v.later("clones", r.clones);
}

template <typename V, Record<SnapshotObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
  v("progress_percent", r.progress_percent);
  v("layers", r.layers);
  v("reason", r.reason);
}

template <typename V, Record<FilePlace> R>
void fields(V& v, R& r) {
  v("url", r.url);
  v("bucket", r.bucket);
  v("key", r.key);
}

template <typename V, Record<TransferDisk> R>
void fields(V& v, R& r) {
  v("device", r.device);
  v("description", r.description);
  v("format", r.format);
  v("from", r.from);
  v("snapshot", r.snapshot);
}

template <typename V, Record<TransferDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("kind", r.kind);
  v("description", r.description);
  v("host", r.host);
  v("trusted", r.trusted);
  v("disks", r.disks);
  v("image", r.image);
  v("image_name", r.image_name);
  v("layers", r.layers);
  v("size_gib", r.size_gib);
  v("format", r.format);
  v("to", r.to);
  v("wanted", r.wanted);
  v("created_at", r.created_at);
  v("tags", r.tags);
  v("snapshot_tags", r.snapshot_tags);
}

template <typename V, Record<TransferPlaced> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("host", r.host);
  v("placed_at", r.placed_at);
}

template <typename V, Record<ImportedDisk> R>
void fields(V& v, R& r) {
  v("layer", r.layer);
  v("bytes", r.bytes);
  v("file_bytes", r.file_bytes);
}

template <typename V, Record<TransferObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
  v("progress_percent", r.progress_percent);
  v("message", r.message);
  v("disks", r.disks);
  v("changed_at", r.changed_at);
}

template <typename V, Record<VpcDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("cidr", r.cidr);
  v("is_default", r.is_default);
  v("dns_support", r.dns_support);
  v("dns_hostnames", r.dns_hostnames);
  v("tags", r.tags);
  v.later("blocks", r.blocks);
}

template <typename V, Record<VpcBlock> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("cidr", r.cidr);
}

template <typename V, Record<InternetGateway> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("vpc", r.vpc);
  v("tags", r.tags);
}

template <typename V, Record<Route> R>
void fields(V& v, R& r) {
  v("destination", r.destination);
  v("gateway", r.gateway);
  v("interface", r.interface);
  v("instance", r.instance);
}

template <typename V, Record<RouteTableAssociation> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("subnet", r.subnet);
}

template <typename V, Record<RouteTable> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("vpc", r.vpc);
  v("routes", r.routes);
  v("associations", r.associations);
  v("tags", r.tags);
}

template <typename V, Record<LaunchTemplate> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("name", r.name);
  v("default_version", r.default_version);
  v("latest_version", r.latest_version);
  v("created_at", r.created_at);
  v("created_by", r.created_by);
  v("tags", r.tags);
}

template <typename V, Record<LaunchTemplateVersion> R>
void fields(V& v, R& r) {
  v("number", r.number);
  v("description", r.description);
  v("created_at", r.created_at);
  v("created_by", r.created_by);
  v("parameters", r.parameters);
}

template <typename V, Record<VpcObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
  v("vni", r.vni);
}

template <typename V, Record<SubnetDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("vpc", r.vpc);
  v("zone", r.zone);
  v("cidr", r.cidr);
  v("default_for_zone", r.default_for_zone);
  v("public_on_launch", r.public_on_launch);
  v("tags", r.tags);
}

template <typename V, Record<SubnetObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
}

template <typename V, Record<InterfaceDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("subnet", r.subnet);
  v("mac", r.mac);
  v("private_address", r.private_address);
  v("security_groups", r.security_groups);
  v("instance", r.instance);
  v("device_index", r.device_index);
  v("source_dest_check", r.source_dest_check);
  v("delete_on_termination", r.delete_on_termination);
  v("description", r.description);
  v("tags", r.tags);
  v.later("wants_public", r.wants_public);
  v.later("more_addresses", r.more_addresses);
  v.later("attached_since", r.attached_since);
  v.later("allocation", r.allocation);
  v.later("elastic_association", r.association);
  v.later("elastic_address", r.elastic_address);
}

template <typename V, Record<InterfaceObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
  v("host", r.host);
  v("attachment", r.attachment);
}

template <typename V, Record<AddressDesired> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("public_address", r.public_address);
  v("association", r.association);
  v("interface", r.interface);
  v("instance", r.instance);
  v("tags", r.tags);
}

template <typename V, Record<AddressObserved> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("state", r.state);
  v("host", r.host);
}

template <typename V, Record<SecurityGroupRule> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("egress", r.egress);
  v("protocol", r.protocol);
  v("from_port", r.from_port);
  v("to_port", r.to_port);
  v("cidr", r.cidr);
  v("cidr6", r.cidr6);
  v("peer", r.peer);
  v("description", r.description);
}

template <typename V, Record<SecurityGroup> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("vpc", r.vpc);
  v("name", r.name);
  v("description", r.description);
  v("rules", r.rules);
  v("tags", r.tags);
}

template <typename V, Record<AccessKey> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("secret", r.secret);
  v("enabled", r.enabled);
}

template <typename V, Record<Quota> R>
void fields(V& v, R& r) {
  v("instances", r.instances);
  v("vcpus", r.vcpus);
  v("volume_gib", r.volume_gib);
  v.later("snapshots", r.snapshots);
}

template <typename V, Record<Account> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("name", r.name);
  v("administrator", r.administrator);
  v("access_keys", r.access_keys);
  v("quota", r.quota);
  v("created_at", r.created_at);
}

template <typename V, Record<KeyPair> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("name", r.name);
  v("type", r.type);
  v("public_key", r.public_key);
  v("fingerprint", r.fingerprint);
  v("created_at", r.created_at);
  v("tags", r.tags);
}

template <typename V, Record<PlacementGroup> R>
void fields(V& v, R& r) {
  v("id", r.id);
  v("account", r.account);
  v("name", r.name);
  v("strategy", r.strategy);
  v("spread_level", r.spread_level);
  v("partitions", r.partitions);
  v("tags", r.tags);
}

template <typename V, Record<Event> R>
void fields(V& v, R& r) {
  v("at", r.at);
  v("by", r.by);
  v("what", r.what);
  v("why", r.why);
}

template <typename V, Record<EventLog> R>
void fields(V& v, R& r) {
  v("dropped", r.dropped);
  v("events", r.events);
}

template <typename V, Record<Idempotency> R>
void fields(V& v, R& r) {
  v("parameters", r.parameters);
  v("answer", r.answer);
  v("created_at", r.created_at);
}

template <typename V, Record<ServedRequests> R>
void fields(V& v, R& r) {
  v("signatures", r.signatures);
  v("served_at", r.served_at);
  v("good_until", r.good_until);
}

}  // namespace pileus::model::internal
