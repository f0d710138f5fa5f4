// clone, migrate: an instance a second time, and an instance elsewhere.
#include "command_line_parts.h"

namespace pileus::cli {
namespace {

void add_clone(CLI::App& root, CommandLine& line) {
  CLI::App* clone = leaf(
      &root, "clone", "Launch a copy of an instance as it is now, and wait until it answers",
      "  pileus clone web\n  pileus clone web --name web-test --type t3.small\n  pileus clone web --count 3 --json\n"
      "\nThe source goes on as if nothing had happened; the disks of the copy begin as its disks were at one\n"
      "moment, and share with them what neither has changed since. All else is as at the source unless it\n"
      "is said here. Of a running instance it is what a power failure would have left: file systems repair\n"
      "themselves at the first boot. The copy has addresses, host name and SSH host keys of its own.");
  add_name(clone, line, "The instance to copy: it runs or is stopped");
  clone->add_option("--name", line.cloud.name, "Name of the copy: the tag Name (default: made up)");
  add_parameter(clone, line, "--type", "InstanceType", "Instance type, one of `pileus type ls`");
  add_parameter(clone, line, "--key", "KeyName", "Key pair of the cloud that may log in as well");
  clone->add_option("--count", line.cloud.count, "Number of copies")->check(CLI::Range(1, 20))->capture_default_str();
  clone->add_flag("--no-wait", line.cloud.no_wait, "Do not wait until it answers");
  clone->add_flag("--quiet,-q", line.quiet, "Print ids only");
  add_json(clone, line);
}

void add_migrate(CLI::App& root, CommandLine& line) {
  CLI::App* migrate =
      leaf(&root, "migrate", "Move an instance to another host, with its volumes and addresses",
           "  pileus migrate web\n  pileus migrate web --to node2\n  pileus migrate web --to node2 --reboot\n"
           "  pileus migrate web --cancel\n"
           "\nA stopped instance starts on the other host next. No instance is moved while it runs: with --reboot\n"
           "one is shut down, moved and started again. Until it is there it is whole where it was.");
  add_name(migrate, line, "The instance");
  CLI::Option* to = migrate->add_option("--to", line.cloud.text, "Host, by id or name (default: placement chooses)");
  CLI::Option* reboot =
      migrate->add_flag("--reboot", line.migration.reboot, "Shut it down for the move, and start it again there");
  migrate->add_flag("--cancel", line.migration.cancel, "End the move that is under way: it stays where it is")
      ->excludes(to)
      ->excludes(reboot);
  migrate->add_flag("--no-wait", line.cloud.no_wait, "Do not wait until it is there");
  add_json(migrate, line);
}

}  // namespace

void add_clone_commands(CLI::App& root, CommandLine& line) {
  add_clone(root, line);
  add_migrate(root, line);
}

}  // namespace pileus::cli
