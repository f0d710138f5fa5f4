// The commands that speak to a cloud, and those that start and end the one of this machine.
#pragma once

#include "base/result.h"
#include "command_line.h"
#include "image/library.h"

namespace pileus::cli {

// up.cc
Result<int> cloud_up(image::Library& library, const CommandLine& line);
Result<int> cloud_status(image::Library& library, const CommandLine& line);
Result<int> cloud_down(image::Library& library, const CommandLine& line);
// launch.cc
Result<int> cloud_run(image::Library& library, const CommandLine& line);
Result<int> cloud_wait(image::Library& library, const CommandLine& line);
// instances.cc
Result<int> cloud_ps(image::Library& library, const CommandLine& line);
Result<int> cloud_show(image::Library& library, const CommandLine& line);
Result<int> cloud_events(image::Library& library, const CommandLine& line);
Result<int> cloud_explain(image::Library& library, const CommandLine& line);
// power.cc
Result<int> cloud_stop(image::Library& library, const CommandLine& line);
Result<int> cloud_start(image::Library& library, const CommandLine& line);
Result<int> cloud_reboot(image::Library& library, const CommandLine& line);
Result<int> cloud_remove(image::Library& library, const CommandLine& line);
// clone.cc
Result<int> cloud_clone(image::Library& library, const CommandLine& line);
// migrate.cc
Result<int> cloud_migrate(image::Library& library, const CommandLine& line);
// reach.cc
Result<int> cloud_ssh(image::Library& library, const CommandLine& line);
Result<int> cloud_console(image::Library& library, const CommandLine& line);
Result<int> cloud_logs(image::Library& library, const CommandLine& line);
// access.cc
Result<int> key_list(image::Library& library, const CommandLine& line);
Result<int> key_import(image::Library& library, const CommandLine& line);
Result<int> key_remove(image::Library& library, const CommandLine& line);
Result<int> group_list(image::Library& library, const CommandLine& line);
Result<int> group_create(image::Library& library, const CommandLine& line);
// "10.0.0.2:4789": where the switch of the host with that address takes tunnels.
std::string tunnel_at(const std::string& address);
Result<int> cloud_join(image::Library& library, const CommandLine& line);
Result<int> group_allow(image::Library& library, const CommandLine& line);
Result<int> group_deny(image::Library& library, const CommandLine& line);
Result<int> group_remove(image::Library& library, const CommandLine& line);
// volumes.cc
Result<int> volume_list(image::Library& library, const CommandLine& line);
Result<int> volume_show(image::Library& library, const CommandLine& line);
Result<int> volume_create(image::Library& library, const CommandLine& line);
Result<int> volume_attach(image::Library& library, const CommandLine& line);
Result<int> volume_detach(image::Library& library, const CommandLine& line);
Result<int> volume_resize(image::Library& library, const CommandLine& line);
Result<int> volume_remove(image::Library& library, const CommandLine& line);
// snapshots.cc
Result<int> snapshot_list(image::Library& library, const CommandLine& line);
Result<int> snapshot_create(image::Library& library, const CommandLine& line);
Result<int> snapshot_remove(image::Library& library, const CommandLine& line);
Result<int> cloud_image_create(image::Library& library, const CommandLine& line);
Result<int> cloud_image_import(image::Library& library, const CommandLine& line);
Result<int> cloud_image_export(image::Library& library, const CommandLine& line);
Result<int> cloud_image_tasks(image::Library& library, const CommandLine& line);
Result<int> cloud_image_list(image::Library& library, const CommandLine& line);
Result<int> cloud_image_show(image::Library& library, const CommandLine& line);
Result<int> cloud_image_remove(image::Library& library, const CommandLine& line);
// hosts.cc
Result<int> host_list(image::Library& library, const CommandLine& line);
Result<int> host_mode(image::Library& library, const CommandLine& line);
Result<int> host_set(image::Library& library, const CommandLine& line);
// types.cc
Result<int> type_list(image::Library& library, const CommandLine& line);
Result<int> type_set(image::Library& library, const CommandLine& line);
Result<int> type_remove(image::Library& library, const CommandLine& line);
// accounts.cc
Result<int> account_list(image::Library& library, const CommandLine& line);
Result<int> account_create(image::Library& library, const CommandLine& line);
Result<int> account_set(image::Library& library, const CommandLine& line);
Result<int> account_key_create(image::Library& library, const CommandLine& line);
Result<int> account_key_remove(image::Library& library, const CommandLine& line);
// join_tokens.cc
Result<int> host_token_create(image::Library& library, const CommandLine& line);
Result<int> host_token_list(image::Library& library, const CommandLine& line);
Result<int> host_token_revoke(image::Library& library, const CommandLine& line);
// web.cc
Result<int> cloud_web(image::Library& library, const CommandLine& line);
// environment.cc
Result<int> cloud_env(image::Library& library, const CommandLine& line);

}  // namespace pileus::cli
