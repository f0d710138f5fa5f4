// The commands for volumes, snapshots and images of the cloud.
#include "command_line_parts.h"

namespace pileus::cli {
namespace {

void add_no_wait(CLI::App* app, CommandLine& line) {
  app->add_flag("--no-wait", line.cloud.no_wait, "Do not wait until it is so");
}

void add_list(CLI::App* app, CommandLine& line) {
  add_json(app, line);
  app->add_flag("--quiet,-q", line.quiet, "Ids only");
}

void add_names(CLI::App* app, CommandLine& line, const char* what) {
  app->add_option("NAME", line.cloud.names, what)->required();
}

void add_snapshot_commands(CLI::App& root, CommandLine& line) {
  CLI::App* snapshot = root.add_subcommand("snapshot", "Snapshots: what volumes held at a moment");
  snapshot->require_subcommand(1);
  snapshot->footer("\nExamples:\n  pileus snapshot create data\n  pileus volume create again --from snap-0…");
  add_list(leaf(snapshot, "ls", "List snapshots", "  pileus snapshot ls"), line);
  CLI::App* create = leaf(snapshot, "create", "Make a snapshot of a volume, also while its instance runs",
                          "  pileus snapshot create data --name before-upgrade");
  add_name(create, line, "The volume");
  create->add_option("--name", line.cloud.name, "Its name: the tag Name");
  create->add_option("--description", line.cloud.text, "What it is for");
  add_no_wait(create, line);
  add_names(leaf(snapshot, "rm", "Delete snapshots", "  pileus snapshot rm before-upgrade"), line, "The snapshots");
}

}  // namespace

void add_volume_commands(CLI::App& root, CommandLine& line) {
  CLI::App* volume = root.add_subcommand("volume", "Volumes: disks that come and go at instances");
  volume->require_subcommand(1);
  volume->footer(
      "\nExamples:\n  pileus volume create data --size 20\n  pileus volume attach data web\n"
      "\nA volume is named by its id, the beginning of it, or its tag Name.");
  add_list(leaf(volume, "ls", "List volumes", "  pileus volume ls\n  pileus volume ls --json"), line);
  CLI::App* show = leaf(volume, "show", "Show all about a volume", "  pileus volume show data");
  add_name(show, line, "The volume");
  add_json(show, line);
  CLI::App* create = leaf(volume, "create", "Make a volume, empty or of a snapshot",
                          "  pileus volume create data --size 20\n  pileus volume create again --from before-upgrade");
  create->add_option("NAME", line.name, "Its name: the tag Name");
  create->add_option("--size", line.volume.size_gib, "Size in GiB (default: the snapshot's)");
  create->add_option("--from", line.volume.from, "Snapshot that it begins as");
  create->add_option("--zone", line.cloud.zone, "Availability zone it is for (default: the cloud's first)");
  CLI::App* attach = leaf(volume, "attach", "Attach a volume to an instance that runs or is stopped",
                          "  pileus volume attach data web\n  pileus volume attach data web --device /dev/sdg");
  add_name(attach, line, "The volume");
  attach->add_option("INSTANCE", line.volume.instance, "The instance")->required();
  attach->add_option("--device", line.volume.device, "As which device (default: the first free one from /dev/sdf)");
  add_no_wait(attach, line);
  CLI::App* detach = leaf(volume, "detach", "Detach a volume from its instance", "  pileus volume detach data");
  add_name(detach, line, "The volume");
  add_no_wait(detach, line);
  CLI::App* resize =
      leaf(volume, "resize", "Make a volume larger, also while its instance runs", "  pileus volume resize data 40");
  add_name(resize, line, "The volume");
  resize->add_option("GIB", line.volume.size_gib, "Its new size in GiB")->required();
  add_names(leaf(volume, "rm", "Delete volumes that no instance has", "  pileus volume rm data"), line, "The volumes");
  add_snapshot_commands(root, line);
}

void add_cloud_image_commands(CLI::App* image, CommandLine& line) {
  CLI::App* create = leaf(image, "create", "Make an image of an instance of the cloud",
                          "  pileus image create golden web\n  pileus image create golden web --no-reboot\n"
                          "\nA running instance is rebooted for it, so that its file systems are whole. "
                          "`pileus run golden` launches it.");
  add_name(create, line, "The image's name");
  create->add_option("INSTANCE", line.volume.instance, "The instance")->required();
  create->add_option("--description", line.cloud.text, "What it is");
  create->add_flag("--no-reboot", line.volume.no_reboot, "Take it as it is, like a disk when the power fails");
  add_no_wait(create, line);
  CLI::App* import = leaf(image, "import", "Make an image of the cloud of a disk's file: raw, qcow2, VMDK or VHD",
                          "  pileus image import disk.qcow2 --name mine\n"
                          "  pileus image import https://example.org/disk.vmdk --name theirs");
  import->add_option("FILE|URL", line.volume.file, "The disk; a file is the host's own, which is this machine")
      ->required();
  import->add_option("--name", line.cloud.name, "The image's name (default: the task's id)");
  import->add_option("--format", line.volume.format, "raw, qcow2, vmdk or vhd (default: what it looks like)");
  import->add_option("--host", line.volume.host, "Host that has the file, where the cloud has several");
  import->add_option("--description", line.cloud.text, "What it is");
  import->add_flag("--no-wait", line.cloud.no_wait, "Print the task's id, and do not wait for it");
  CLI::App* out = leaf(image, "export", "Write an image of the cloud into a file",
                       "  pileus image export mine mine.vmdk\n  pileus image export mine disk --format vhd");
  add_name(out, line, "The image");
  out->add_option("FILE", line.volume.file, "The file; must not be there")->required();
  out->add_option("--format", line.volume.format, "raw, vmdk or vhd (default: by the file's name, else raw)");
  add_json(leaf(image, "tasks", "List imports and exports of images", "  pileus image tasks"), line);
}

}  // namespace pileus::cli
