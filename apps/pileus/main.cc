// pileus: the command line.
#include <array>
#include <cstdio>
#include <string_view>

#include "cloud/commands.h"
#include "command_line.h"
#include "completion.h"
#include "cpu_commands.h"
#include "disk_commands.h"
#include "image/library.h"
#include "image_commands.h"
#include "vm_commands.h"

namespace pileus::cli {
namespace {

struct Entry {
  std::string_view command;
  Result<int> (*run)(image::Library&, const CommandLine&);
};
constexpr std::array kCommands = {
    Entry{"vm run", vm_run},
    Entry{"vm start", vm_start},
    Entry{"vm wait", vm_wait},
    Entry{"vm ls", vm_list},
    Entry{"vm show", vm_show},
    Entry{"vm ssh", vm_ssh},
    Entry{"vm console", vm_console},
    Entry{"vm stop", vm_stop},
    Entry{"vm kill", vm_kill},
    Entry{"vm reset", vm_reset},
    Entry{"vm nmi", vm_nmi},
    Entry{"vm rm", vm_remove},
    Entry{"vm stats", vm_stats},
    Entry{"vm profile", vm_profile},
    Entry{"vm disk attach", disk_attach},
    Entry{"vm disk detach", disk_detach},
    Entry{"vm disk ls", disk_list},
    Entry{"vm disk resize", disk_resize},
    Entry{"vm disk snapshot", disk_snapshot},
    Entry{"vm disk rm", disk_remove},
    Entry{"image build", image_build},
    Entry{"image ls", image_list},
    Entry{"image show", image_show},
    Entry{"image rm", image_remove},
    Entry{"cpu ls", cpu_list},
    Entry{"up", cloud_up},
    Entry{"status", cloud_status},
    Entry{"down", cloud_down},
    Entry{"join", cloud_join},
    Entry{"run", cloud_run},
    Entry{"wait", cloud_wait},
    Entry{"ps", cloud_ps},
    Entry{"show", cloud_show},
    Entry{"events", cloud_events},
    Entry{"explain", cloud_explain},
    Entry{"ssh", cloud_ssh},
    Entry{"console", cloud_console},
    Entry{"logs", cloud_logs},
    Entry{"stop", cloud_stop},
    Entry{"start", cloud_start},
    Entry{"reboot", cloud_reboot},
    Entry{"rm", cloud_remove},
    Entry{"clone", cloud_clone},
    Entry{"migrate", cloud_migrate},
    Entry{"key ls", key_list},
    Entry{"key import", key_import},
    Entry{"key rm", key_remove},
    Entry{"secgroup ls", group_list},
    Entry{"secgroup create", group_create},
    Entry{"secgroup allow", group_allow},
    Entry{"secgroup deny", group_deny},
    Entry{"secgroup rm", group_remove},
    Entry{"volume ls", volume_list},
    Entry{"volume show", volume_show},
    Entry{"volume create", volume_create},
    Entry{"volume attach", volume_attach},
    Entry{"volume detach", volume_detach},
    Entry{"volume resize", volume_resize},
    Entry{"volume rm", volume_remove},
    Entry{"snapshot ls", snapshot_list},
    Entry{"snapshot create", snapshot_create},
    Entry{"snapshot rm", snapshot_remove},
    Entry{"image create", cloud_image_create},
    Entry{"image import", cloud_image_import},
    Entry{"image export", cloud_image_export},
    Entry{"image tasks", cloud_image_tasks},
    Entry{"host ls", host_list},
    Entry{"host maintenance", host_mode},
    Entry{"host active", host_mode},
    Entry{"host set", host_set},
    Entry{"host token create", host_token_create},
    Entry{"host token ls", host_token_list},
    Entry{"host token revoke", host_token_revoke},
    Entry{"type ls", type_list},
    Entry{"type set", type_set},
    Entry{"type rm", type_remove},
    Entry{"account ls", account_list},
    Entry{"account create", account_create},
    Entry{"account set", account_set},
    Entry{"account key create", account_key_create},
    Entry{"account key rm", account_key_remove},
    Entry{"env", cloud_env},
    Entry{"web", cloud_web},
};

Result<int> dispatch(const CommandLine& line) {
  if (line.command == "completion") {
    const std::string_view script = completion_script(line.name);
    std::fwrite(script.data(), 1, script.size(), stdout);
    return 0;
  }
  image::Library library = TRY(image::Library::open_default());
  for (const Entry& entry : kCommands) {
    if (entry.command == line.command) return entry.run(library, line);
  }
  return Error(ErrorCode::kInvalid, "there is no command '" + line.command + "'");
}

int main_of(int argc, char** argv) {
  const std::variant<CommandLine, int> parsed = parse_command_line(argc, argv);
  if (const int* status = std::get_if<int>(&parsed)) return *status;
  const Result<int> result = dispatch(std::get<CommandLine>(parsed));
  if (result) return *result;
  std::fprintf(stderr, "pileus: %s\n", result.error().message().c_str());
  return result.error().code() == ErrorCode::kInvalid ? kUsage : kFailure;
}

}  // namespace
}  // namespace pileus::cli

int main(int argc, char** argv) { return pileus::cli::main_of(argc, argv); }
