// What the user asked for, out of argv.
#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/ints.h"

namespace pileus::cli {

// Exit statuses of `pileus`. `vm run` in the foreground ends with pileus-vmm's (vmm/vm.h), `vm ssh`
// with ssh's.
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;

struct RunOptions {
  std::string source;  // an image's name or a disk's path
  std::string name;    // empty: one is made up
  u32 cpus = 1;
  std::string memory = "512M";
  std::string translation_cache = "128M";
  std::string translation_cache_file;  // a path, or "off"; empty: the usual one
  std::string disk_size;  // empty: 8G, or the disk's own if that is larger or a file was named
  std::string engine = "auto";
  std::string paravirt = "on";
  std::string direct = "on";
  std::string cpu_model = "host";
  std::string ssh_key;
  std::string user_data;
  std::string user;
  std::vector<std::string> forwards;
  std::string kernel;
  std::string initrd;
  std::vector<std::string> modules;
  bool exit_port = false;
  bool legacy_devices = false;
  std::string firmware;
  std::string cdrom;
  std::string disk_bus = "virtio";
  std::string append;
  bool console = false;
  bool restrict_network = false;
  bool detach = false;
};

// Of commands that speak to a cloud.
struct CloudOptions {
  std::string image = "debian-12";
  std::string name;
  std::string type = "t3.micro";
  std::string key;
  std::vector<std::string> groups;
  std::vector<std::string> allow;
  std::string user_data;
  u32 disk_gib = 0;
  u32 count = 1;
  bool no_wait = false;
  bool follow = false;
  std::string jump;
  bool all = false;
  std::string file;        // key import
  std::string text;        // a description, a mode, a tool's name
  std::vector<std::string> names;  // of instances
  u16 port = 8773;         // of up
  std::string hosts_at;    // of up and join: this machine's address for other hosts
  std::string zone;        // of join
  std::string rack;
  std::string placement;   // of up
  u32 simulate = 0;
  bool administrator = false;
  u64 expires_s = 24ULL * 3600;  // of a join token
  bool once = false;
  std::map<std::string, std::string>
      parameters;  // of the action of the API behind the command, where options name them
};

// Of `vm disk ...`.
struct DiskOptions {
  std::string name;      // of the disk, or its path
  std::string size;
  std::string snapshot;  // name for it
  bool read_only = false;
};

// Of volumes, snapshots and images of the cloud.
struct VolumeOptions {
  std::string instance;
  std::string device;
  std::string from;  // a snapshot
  u32 size_gib = 0;
  bool no_reboot = false;
  bool of_cloud = false;  // of image ls
  std::string file;    // that is imported or exported to; may be a URL
  std::string format;  // of that file; empty: it is looked at, or its name says
  std::string host;    // that has the file
};

// Of `migrate`.
struct MigrationOptions {
  bool reboot = false;
  bool cancel = false;
};

struct CommandLine {
  std::string command;             // "vm run", "image ls", ...
  std::string name;                // of the VM, image or shell it is about
  std::vector<std::string> words;  // for ssh
  bool json = false;
  bool quiet = false;
  bool allow_expired = false;  // of image build
  bool force = false;
  bool virtio = false;
  u32 timeout_s = 0;
  std::string gdb;  // of vm run and start; empty: nobody debugs the guest
  bool gdb_wait = false;
  std::string output;  // of vm profile; empty: NAME.svg
  RunOptions run;
  DiskOptions disk;
  CloudOptions cloud;
  VolumeOptions volume;
  MigrationOptions migration;
};

// An int is the exit status of a program that is done: help was printed, or what is wrong was said.
std::variant<CommandLine, int> parse_command_line(int argc, char** argv);

}  // namespace pileus::cli
