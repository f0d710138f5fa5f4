// The only files built with exceptions are those that describe the command line: CLI11 reports by them.
#include "command_line_parts.h"

namespace pileus::cli {

CLI::App* leaf(CLI::App* parent, const std::string& name, const std::string& what, const std::string& examples) {
  CLI::App* app = parent->add_subcommand(name, what);
  app->footer("\nExamples:\n" + examples);
  return app;
}

void add_name(CLI::App* app, CommandLine& line, const std::string& what) {
  app->add_option("NAME", line.name, what)->required();
}

void add_json(CLI::App* app, CommandLine& line) { app->add_flag("--json", line.json, "Print JSON"); }

void add_parameter(CLI::App* app, CommandLine& line, const std::string& option, const std::string& parameter,
                   const std::string& what) {
  app->add_option_function<std::string>(
      option, [&line, parameter](const std::string& text) { line.cloud.parameters[parameter] = text; }, what);
}

namespace {

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
  app->add_option("--translation-cache-file", run.translation_cache_file,
                  "File that keeps translated code for the next start, or off (default: one for each image)");
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
  app->add_option("--cdrom", run.cdrom, "Give the VM a CD drive with this image; firmware tries it after the disks");
  app->add_option("--disk-bus", run.disk_bus,
                  "How disks and the CD drive are attached: virtio, or sata for systems without virtio drivers")
      ->check(CLI::IsMember({"virtio", "sata"}))
      ->capture_default_str();
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

void add_disk_name(CLI::App* app, CommandLine& line, const std::string& what) {
  app->add_option("DISK", line.disk.name, what)->required();
}

void add_disk_commands(CLI::App* vm, CommandLine& line) {
  const char* const of_vm = "Disk of the VM; `root` is the one that it boots from";
  CLI::App* disk = vm->add_subcommand("disk", "Disks that VMs are given and that stay when they go");
  disk->require_subcommand(1);
  disk->footer("\nExamples:\n  pileus vm disk attach web data --size 10G\n  pileus vm disk ls");
  CLI::App* attach = leaf(disk, "attach", "Give a VM a disk, while it runs or not",
                          "  pileus vm disk attach web data --size 10G\n  pileus vm disk attach db data\n"
                          "  pileus vm disk attach web ./tools.raw --read-only");
  add_name(attach, line, "The VM");
  add_disk_name(attach, line, "Name of a disk, one of `pileus vm disk ls`, or the path of a raw disk");
  attach->add_option("--size", line.disk.size, "Make it, empty and of this size, like 10G");
  attach->add_flag("--read-only", line.disk.read_only, "Let the guest read it only: several VMs may then have it");
  attach->add_flag("--quiet,-q", line.quiet, "Do not tell where the guest finds it");
  CLI::App* detach = leaf(disk, "detach", "Take a disk from a VM; a running guest is asked to let go of it",
                          "  pileus vm disk detach web data\n  pileus vm disk detach web data --force");
  add_name(detach, line, "The VM");
  add_disk_name(detach, line, "The disk");
  detach->add_option("--timeout", line.timeout_s, "Seconds to wait for the guest (default: 60)");
  detach->add_flag("--force,-f", line.force, "Do not ask the guest: what it has not written yet is lost");
  CLI::App* list =
      leaf(disk, "ls", "List disks, or those of one VM", "  pileus vm disk ls\n  pileus vm disk ls web --json");
  list->add_option("NAME", line.name, "The VM");
  add_json(list, line);
  list->add_flag("--quiet,-q", line.quiet, "Names only");
  CLI::App* resize = leaf(disk, "resize", "Make a disk of a VM larger, while it runs or not",
                          "  pileus vm disk resize web data 20G\n  pileus vm disk resize web root 16G");
  add_name(resize, line, "The VM");
  add_disk_name(resize, line, of_vm);
  resize->add_option("SIZE", line.disk.size, "The new size, like 20G")->required();
  CLI::App* snapshot = leaf(disk, "snapshot", "Make a disk that is as a disk of a VM is now, while it runs or not",
                            "  pileus vm disk snapshot web data data-monday\n"
                            "\nDone at once, whatever the size: the two share what they have in common.");
  add_name(snapshot, line, "The VM");
  add_disk_name(snapshot, line, of_vm);
  snapshot->add_option("NEW", line.disk.snapshot, "Name of the new disk")->required();
  snapshot->add_flag("--quiet,-q", line.quiet, "Print nothing");
  add_disk_name(leaf(disk, "rm", "Remove a disk that no VM has", "  pileus vm disk rm data"), line, "The disk");
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
  add_name(leaf(vm, "nmi", "Press the NMI button of a VM, as when its kernel hangs", "  pileus vm nmi web"), line,
           "The VM");
  CLI::App* remove = leaf(vm, "rm", "Remove a stopped VM and its disk", "  pileus vm rm web\n  pileus vm rm -f web");
  add_name(remove, line, "The VM");
  remove->add_flag("--force,-f", line.force, "Kill it first if it runs");
  CLI::App* stats = leaf(vm, "stats", "Show the counters of a running VM", "  pileus vm stats web --json");
  add_name(stats, line, "The VM");
  add_json(stats, line);
  add_profile(vm, line);
  add_disk_commands(vm, line);
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
  CLI::App* list = leaf(image, "ls", "List images", "  pileus image ls --json\n  pileus image ls --cloud");
  add_json(list, line);
  list->add_flag("--quiet,-q", line.quiet, "Names only; ids of those of the cloud");
  list->add_flag("--cloud", line.volume.of_cloud, "Those that the cloud offers, and not those of this machine");
  CLI::App* show = leaf(image, "show", "Show all about one image",
                        "  pileus image show debian-12 --json\n  pileus image show ami-0123456789abcdef0");
  add_name(show, line, "The image");
  add_json(show, line);
  add_name(leaf(image, "rm", "Remove an image that no VM uses, or by its id one of the cloud",
                "  pileus image rm debian-12\n  pileus image rm ami-0123456789abcdef0"),
           line, "The image");
  add_cloud_image_commands(image, line);
}

void add_cpu_commands(CLI::App& root, CommandLine& line) {
  CLI::App* cpu = root.add_subcommand("cpu", "Show the CPU models that VMs can have");
  cpu->require_subcommand(1);
  CLI::App* list =
      leaf(cpu, "ls", "List CPU models and whether this host can give them", "  pileus cpu ls\n  pileus cpu ls --json");
  add_json(list, line);
  list->add_flag("--quiet,-q", line.quiet, "Names only");
}

void add_instances(CLI::App* app, CommandLine& line) {
  app->add_option("INSTANCE", line.cloud.names, "Name, id, or the beginning of an id")->required();
}

void add_up(CLI::App& root, CommandLine& line) {
  CLI::App* up =
      leaf(&root, "up", "Start a whole cloud on this machine: its manager and one host",
           "  pileus up --detach\n  pileus up\n  pileus up --detach --simulate 3\n"
           "\nIn the foreground, Ctrl-C ends both daemons; VMs go on either way. $PILEUS_HOME/cloud keeps all.");
  up->add_flag("--detach", line.run.detach, "Leave it running in the background");
  up->add_option("--port", line.cloud.port, "Port of the API on 127.0.0.1; 0: any that is free")->capture_default_str();
  up->add_option("--simulate", line.cloud.simulate, "Have so many more hosts that only pretend to run VMs");
  up->add_option("--hosts-at", line.cloud.hosts_at,
                 "Address of this machine at which other machines may join as hosts, and their instances reach ours");
  up->add_option("--placement", line.cloud.placement,
                 "Which host gets an instance: pack (the fullest that holds it), spread (the emptiest) or fit (the one "
                 "whose rest has its proportions; default: pack)")
      ->check(CLI::IsMember({"pack", "spread", "fit"}));
  CLI::App* join = leaf(&root, "join", "Make this machine a host of a cloud that another machine manages",
                        "  pileus join 10.0.0.1 --token pileus1.… --detach\n  pileus join 10.0.0.1:8774 --detach\n"
                        "\n`pileus up --hosts-at ADDRESS` on the other machine prints the token. It is needed once.");
  join->add_option("ADDRESS", line.name, "Where the cloud takes hosts, with :PORT unless that is 8774")->required();
  join->add_option("--token", line.cloud.text, "Join token of the cloud");
  join->add_option("--at", line.cloud.hosts_at, "Our address for the other hosts (default: the one that leads there)");
  join->add_option("--name", line.cloud.name, "Name of this host (default: the machine's)");
  join->add_option("--zone", line.cloud.zone, "Availability zone it is in (default: the cloud's first)");
  join->add_option("--rack", line.cloud.rack, "Rack it is in: what has to be apart is in several");
  join->add_flag("--detach", line.run.detach, "Leave it running in the background");
  add_json(leaf(&root, "status", "Show whether the cloud of this machine runs, and where", "  pileus status"), line);
  leaf(&root, "down", "End the cloud's daemons on this machine; its VMs go on", "  pileus down");
}

void add_launch(CLI::App& root, CommandLine& line) {
  CloudOptions& cloud = line.cloud;
  CLI::App* run = leaf(&root, "run", "Ask the cloud for an instance, and wait until it answers",
                       "  pileus run\n  pileus run debian-12 --name web --type t3.small --allow 80\n"
                       "  pileus run debian-13 --user-data setup.yaml --key laptop --no-wait");
  run->add_option("IMAGE", cloud.image, "Name or id of an image")->capture_default_str();
  run->add_option("--name", cloud.name, "Its name: the tag Name (default: made up)");
  run->add_option("--type", cloud.type, "Instance type, one of `pileus type ls`")->capture_default_str();
  run->add_option("--key", cloud.key,
                  "Key pair of the cloud that may log in (default: your own, imported when needed)");
  run->add_option("--secgroup", cloud.groups, "Security group; may be repeated (default: one that lets SSH in)")
      ->allow_extra_args(false);
  run->add_option("--allow", cloud.allow, "PORT or PORT@CIDR that may be reached over TCP, in a group of its own")
      ->allow_extra_args(false);
  run->add_option("--disk", cloud.disk_gib, "Size of its disk in GiB (default: the type's)");
  run->add_option("--user-data", cloud.user_data, "File that cloud-init in the guest carries out");
  run->add_option("--count", cloud.count, "Number of instances")->check(CLI::Range(1, 20))->capture_default_str();
  run->add_flag("--no-wait", cloud.no_wait, "Do not wait until it answers");
  run->add_flag("--quiet,-q", line.quiet, "Print ids only");
  add_json(run, line);
}

void add_instance_commands(CLI::App& root, CommandLine& line) {
  CLI::App* ps = leaf(&root, "ps", "List instances", "  pileus ps\n  pileus ps --all --json");
  add_json(ps, line);
  ps->add_flag("--all,-a", line.cloud.all, "Those terminated within the last hour too");
  ps->add_flag("--quiet,-q", line.quiet, "Ids only");
  CLI::App* show = leaf(&root, "show", "Show all about an instance", "  pileus show web");
  add_name(show, line, "The instance");
  add_json(show, line);
  CLI::App* ssh = leaf(&root, "ssh", "Log in to an instance, or run a command in it",
                       "  pileus ssh web\n  pileus ssh web -- uname -a\n  pileus ssh web --jump me@10.0.0.2");
  add_name(ssh, line, "The instance");
  ssh->add_option("--user", line.run.user, "User to log in as (default: the image's)");
  ssh->add_option("--identity", line.run.ssh_key, "Private key (default: your own)");
  ssh->add_option(
      "--jump", line.cloud.jump,
      "[USER@]HOST: go through SSH there, for an instance that runs on that host and has its address there");
  ssh->add_option("COMMAND", line.words, "Command to run in it, after --");
  add_name(leaf(&root, "console", "Connect the terminal to an instance's serial console", "  pileus console web"), line,
           "The instance");
  CLI::App* logs =
      leaf(&root, "logs", "Print the end of an instance's console", "  pileus logs web\n  pileus logs web -f");
  add_name(logs, line, "The instance");
  logs->add_flag("--follow,-f", line.cloud.follow, "Go on with what it prints, until Ctrl-C or its end");
  CLI::App* wait = leaf(&root, "wait", "Wait until an instance answers on SSH", "  pileus wait web --timeout 120");
  add_name(wait, line, "The instance");
  wait->add_option("--timeout", line.timeout_s, "Seconds to wait (default: 600)");
  CLI::App* events =
      leaf(&root, "events", "Show what happened to an instance, a volume, a host, ... and why",
           "  pileus events web\n  pileus events vol-0123456789abcdef0\n  pileus events sg-0123456789abcdef0");
  add_name(events, line,
           "The instance, or the id of a volume, a snapshot, an image, a key pair, a security group, ...");
  add_json(events, line);
  CLI::App* explain = leaf(&root, "explain", "Show why an instance is on the host where it is", "  pileus explain web");
  add_name(explain, line, "The instance");
  add_json(explain, line);
  for (const auto& [name, what] : std::initializer_list<std::pair<const char*, const char*>>{
           {"stop", "Stop instances; they keep their disks"},
           {"start", "Start stopped instances"},
           {"reboot", "Reboot instances"},
           {"rm", "Terminate instances: their disks go with them"}}) {
    CLI::App* app = leaf(&root, name, what, std::string("  pileus ") + name + " web\n  pileus " + name + " web db");
    add_instances(app, line);
    app->add_flag("--no-wait", line.cloud.no_wait, "Do not wait until it is so");
  }
}

void add_access_commands(CLI::App& root, CommandLine& line) {
  CLI::App* key = root.add_subcommand("key", "Key pairs that may log in to instances");
  key->require_subcommand(1);
  add_json(leaf(key, "ls", "List key pairs", "  pileus key ls"), line);
  CLI::App* import = leaf(key, "import", "Give the cloud the public half of a key pair",
                          "  pileus key import laptop ~/.ssh/id_ed25519.pub");
  add_name(import, line, "Its name in the cloud");
  import->add_option("FILE", line.cloud.file, "The public key")->required();
  add_name(leaf(key, "rm", "Have the cloud forget a key pair", "  pileus key rm laptop"), line, "The key pair");
  CLI::App* group = root.add_subcommand("secgroup", "Security groups: who may reach instances");
  group->require_subcommand(1);
  add_json(leaf(group, "ls", "List security groups and what they let in", "  pileus secgroup ls"), line);
  CLI::App* create =
      leaf(group, "create", "Make a security group that lets nothing in", "  pileus secgroup create web");
  add_name(create, line, "Its name");
  create->add_option("--description", line.cloud.text, "What it is for");
  CLI::App* allow = leaf(group, "allow", "Let a security group's instances be reached over TCP",
                         "  pileus secgroup allow web 80\n  pileus secgroup allow web 22@10.0.0.0/8");
  add_name(allow, line, "The group");
  allow->add_option("PORT", line.cloud.allow, "PORT or PORT@CIDR")->required();
  CLI::App* deny = leaf(group, "deny", "Take back what was allowed: connections end at once, too",
                        "  pileus secgroup deny web 80\n  pileus secgroup deny web 22@10.0.0.0/8");
  add_name(deny, line, "The group");
  deny->add_option("PORT", line.cloud.allow, "PORT or PORT@CIDR, as it was allowed")->required();
  add_name(leaf(group, "rm", "Delete a security group", "  pileus secgroup rm web"), line, "The group");
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
  add_up(root, line);
  add_launch(root, line);
  add_instance_commands(root, line);
  add_clone_commands(root, line);
  add_access_commands(root, line);
  add_volume_commands(root, line);
  add_cloud_administration(root, line);
  add_vm_commands(root, line);
  add_image_commands(root, line);
  add_cpu_commands(root, line);
  CLI::App* completion = leaf(&root, "completion", "Print a completion script for a shell",
                              "  source <(pileus completion bash)\n  pileus completion fish | source");
  completion->add_option("SHELL", line.name, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  // Last, because subcommands begin with the footer that is there when they are added.
  root.footer(
      "\nExamples:\n  pileus image build debian-12\n  pileus up --detach\n  pileus run debian-12 --name web\n"
      "  pileus ssh web\n  pileus vm run debian-12          (one VM on this machine, without a cloud)\n"
      "\nImages and VMs are kept in $PILEUS_HOME, by default /var/lib/pileus for root and\n"
      "~/.local/share/pileus for others.");
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return root.exit(error) == 0 ? 0 : kUsage;
  }
  line.command = chosen(root);
  return line;
}

}  // namespace pileus::cli
