// The only file built with exceptions: CLI11 reports by them.
#include "command_line.h"

#include <CLI/CLI.hpp>

namespace pileus::cli {
namespace {

// A subcommand that is recognised as `full`.
CLI::App* leaf(CLI::App* parent, const std::string& name, const std::string& what, const std::string& examples) {
  CLI::App* app = parent->add_subcommand(name, what);
  app->footer("\nExamples:\n" + examples);
  return app;
}

void add_name(CLI::App* app, CommandLine& line, const std::string& what) {
  app->add_option("NAME", line.name, what)->required();
}

void add_json(CLI::App* app, CommandLine& line) { app->add_flag("--json", line.json, "Print JSON"); }

void add_gdb(CLI::App* app, CommandLine& line) {
  auto* gdb = app->add_option("--gdb", line.gdb, "Let GDB debug the guest, at unix:PATH or tcp:127.0.0.1:PORT");
  app->add_flag("--gdb-wait", line.gdb_wait, "Run nothing of the guest before GDB has connected and continues")
      ->needs(gdb);
}

void add_run(CLI::App* vm, CommandLine& line) {
  RunOptions& run = line.run;
  CLI::App* app = leaf(vm, "run", "Make a VM of an image or a disk and run it",
                       "  pileus vm run debian-12\n"
                       "  pileus vm run debian-12 --name web --cpus 2 --memory 1G --forward 8080:80 --detach\n"
                       "  pileus vm run ./disk.raw --kernel ./vmlinuz --append 'root=/dev/vda1 console=ttyS0' "
                       "--console\n"
                       "\nIn the foreground, Ctrl-C shuts the VM down; `pileus vm start` runs it again.\n"
                       "Exit status there: 0 the guest shut itself down, 1 not started, 2 wrong use, 10 guest "
                       "crashed,\n"
                       "11 engine failed, 12 ended from outside.");
  app->add_option("IMAGE|DISK", run.source, "Name of an image, or path of a raw disk; it is never changed")->required();
  app->add_option("--name", run.name, "Name of the VM and its host name (default: made up)");
  app->add_option("--cpus", run.cpus, "Number of virtual CPUs")->capture_default_str();
  app->add_option("--memory", run.memory, "Memory, like 512M or 2G")->capture_default_str();
  app->add_option("--translation-cache", run.translation_cache, "Most memory for translated code, beside the guest's")
      ->capture_default_str();
  app->add_option("--disk-size", run.disk_size, "Size of the VM's disk, like 8G (default: 8G; a DISK's own size)");
  app->add_option("--engine", run.engine, "How guest code runs: auto, bt (binary translation) or kvm")
      ->capture_default_str();
  app->add_option("--paravirt", run.paravirt, "Offer the guest the KVM paravirtual interface: on or off")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  app->add_option("--direct", run.direct, "Under bt, run long computations of user code as they are: on or off")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  app->add_option("--cpu", run.cpu_model, "Model of the virtual CPUs, one of `pileus cpu ls`")->capture_default_str();
  app->add_option("--ssh-key", run.ssh_key, "Key that may log in (default: a key pair of Pileus' own)");
  app->add_option("--user-data", run.user_data, "File that cloud-init in the guest carries out");
  app->add_option("--user", run.user, "User to log in as (default: the image's)");
  app->add_option("--forward", run.forwards, "HOST:GUEST: port of 127.0.0.1 that leads to a port of the guest")
      ->allow_extra_args(false);
  app->add_flag("--restrict-network", run.restrict_network,
                "Let the guest reach nothing outside; forwards lead to it all the same");
  app->add_option("--kernel", run.kernel,
                  "Boot this kernel and not the disk's own: Linux, or any with a Multiboot 1 header");
  app->add_option("--initrd", run.initrd, "With this initial RAM disk");
  app->add_option("--append", run.append, "Kernel command line; without --kernel, added to the disk's own");
  app->add_option("--module", run.modules, "'FILE TEXT': file for a Multiboot kernel, and what it is told of it")
      ->allow_extra_args(false);
  app->add_flag("--legacy-devices", run.legacy_devices,
                "Give the VM a PC's old devices too: 8259A, 8254, ACPI PM timer, interrupts of the clock");
  app->add_option("--firmware", run.firmware,
                  "Start the disk by this firmware: bios (SeaBIOS) or the path of its image");
  app->add_flag("--exit-port", run.exit_port,
                "Let the guest end the VM by writing a code to port 0xF4; exit status: code * 2 + 1");
  add_gdb(app, line);
  auto* console = app->add_flag("--console", run.console, "Connect the terminal to the serial console");
  app->add_flag("--detach", run.detach, "Leave it running in the background")->excludes(console);
}

void add_profile(CLI::App* vm, CommandLine& line) {
  CLI::App* profile = leaf(vm, "profile", "Show what a running VM spends its time on, and draw a flame graph of it",
                           "  pileus vm profile web\n  pileus vm profile web --seconds 30 -o web.svg\n"
                           "\nCtrl-C ends it early.");
  add_name(profile, line, "The VM");
  profile->add_option("--seconds", line.timeout_s, "Seconds to look at it (default: 10)");
  profile->add_option("--output,-o", line.output, "File for the flame graph, an SVG (default: NAME.svg)");
  add_json(profile, line);
}

void add_vm_commands(CLI::App& root, CommandLine& line) {
  CLI::App* vm = root.add_subcommand("vm", "Run and manage VMs on this machine");
  vm->require_subcommand(1);
  vm->footer("\nExamples:\n  pileus vm run debian-12\n  pileus vm ls");
  add_run(vm, line);
  CLI::App* start = leaf(vm, "start", "Start a stopped VM in the background",
                         "  pileus vm start web\n"
                         "  pileus vm start web --gdb unix:/tmp/web.gdb --gdb-wait");
  add_name(start, line, "The VM");
  add_gdb(start, line);
  CLI::App* wait = leaf(vm, "wait", "Wait until a VM answers on SSH", "  pileus vm wait web --timeout 120");
  add_name(wait, line, "The VM");
  wait->add_option("--timeout", line.timeout_s, "Seconds to wait (default: 600)");
  CLI::App* list = leaf(vm, "ls", "List VMs", "  pileus vm ls\n  pileus vm ls --json");
  add_json(list, line);
  list->add_flag("--quiet,-q", line.quiet, "Names only");
  CLI::App* show = leaf(vm, "show", "Show all about one VM", "  pileus vm show web --json");
  add_name(show, line, "The VM");
  add_json(show, line);
  CLI::App* ssh =
      leaf(vm, "ssh", "Log in to a VM, or run a command in it", "  pileus vm ssh web\n  pileus vm ssh web -- uname -a");
  add_name(ssh, line, "The VM");
  ssh->add_option("COMMAND", line.words, "Command to run in the VM, after --");
  CLI::App* console = leaf(vm, "console", "Connect the terminal to a VM's console (Ctrl-] leaves it)",
                           "  pileus vm console web\n  pileus vm console web --virtio");
  add_name(console, line, "The VM");
  console->add_flag("--virtio", line.virtio,
                    "The virtio console, /dev/hvc0 in Linux, and not the serial one, which has the boot messages");
  CLI::App* stop = leaf(vm, "stop", "Shut a VM down by its power button",
                        "  pileus vm stop web --timeout 60\n  pileus vm stop web --timeout 20 --force");
  add_name(stop, line, "The VM");
  stop->add_option("--timeout", line.timeout_s, "Seconds to wait for it to end (default: 90)");
  stop->add_flag("--force,-f", line.force, "Pull the plug when it has not ended by then");
  add_name(leaf(vm, "kill", "End a VM at once, as by pulling the plug", "  pileus vm kill web"), line, "The VM");
  add_name(leaf(vm, "reset", "Reset a running VM", "  pileus vm reset web"), line, "The VM");
  CLI::App* remove = leaf(vm, "rm", "Remove a stopped VM and its disk", "  pileus vm rm web\n  pileus vm rm -f web");
  add_name(remove, line, "The VM");
  remove->add_flag("--force,-f", line.force, "Kill it first if it runs");
  CLI::App* stats = leaf(vm, "stats", "Show the counters of a running VM", "  pileus vm stats web --json");
  add_name(stats, line, "The VM");
  add_json(stats, line);
  add_profile(vm, line);
}

void add_image_commands(CLI::App& root, CommandLine& line) {
  CLI::App* image = root.add_subcommand("image", "Build and manage images");
  image->require_subcommand(1);
  image->footer("\nExamples:\n  pileus image build debian-12\n  pileus image ls");
  CLI::App* build = leaf(image, "build", "Build an image; done at once when it is there already",
                         "  pileus image build debian-12\n  pileus image build debian-13");
  add_name(build, line,
           "What to build: debian-11, debian-12, debian-13, debian-sid; debian-12-programs for benchmarks");
  build->add_flag("--allow-expired", line.allow_expired,
                  "Take a package index that its mirror has not renewed in time: it may lack security updates");
  CLI::App* list = leaf(image, "ls", "List images", "  pileus image ls --json");
  add_json(list, line);
  list->add_flag("--quiet,-q", line.quiet, "Names only");
  CLI::App* show = leaf(image, "show", "Show all about one image", "  pileus image show debian-12 --json");
  add_name(show, line, "The image");
  add_json(show, line);
  add_name(leaf(image, "rm", "Remove an image that no VM uses", "  pileus image rm debian-12"), line, "The image");
}

void add_cpu_commands(CLI::App& root, CommandLine& line) {
  CLI::App* cpu = root.add_subcommand("cpu", "Show the CPU models that VMs can have");
  cpu->require_subcommand(1);
  CLI::App* list =
      leaf(cpu, "ls", "List CPU models and whether this host can give them", "  pileus cpu ls\n  pileus cpu ls --json");
  add_json(list, line);
  list->add_flag("--quiet,-q", line.quiet, "Names only");
}

// The names of the chosen subcommands, joined: "vm run".
std::string chosen(const CLI::App& root) {
  std::string path;
  const CLI::App* app = &root;
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    path += (path.empty() ? "" : " ") + app->get_name();
  }
  return path;
}

}  // namespace

std::variant<CommandLine, int> parse_command_line(int argc, char** argv) {
  CommandLine line;
  CLI::App root("Pileus: a private cloud with its own hypervisor", "pileus");
  root.require_subcommand(1);
  root.set_version_flag("--version", "pileus 0.1.0");
  root.footer(
      "\nExamples:\n  pileus image build debian-12\n  pileus vm run debian-12\n  pileus vm ls\n"
      "\nImages and VMs are kept in $PILEUS_HOME, by default /var/lib/pileus for root and\n"
      "~/.local/share/pileus for others.");
  add_vm_commands(root, line);
  add_image_commands(root, line);
  add_cpu_commands(root, line);
  CLI::App* completion = leaf(&root, "completion", "Print a completion script for a shell",
                              "  source <(pileus completion bash)\n  pileus completion fish | source");
  completion->add_option("SHELL", line.name, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? 0 : kUsage;
  }
  line.command = chosen(root);
  return line;
}

}  // namespace pileus::cli
