#include "login.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "interrupt.h"
#include "os/child_process.h"
#include "os/file.h"
#include "os/unix_socket.h"
#include "terminal.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr int kPollMs = 200;

// One read and what follows from it; false at the end of the input or when the user leaves.
Result<bool> pass_keys(int socket) {
  const std::optional<Keys> keys = read_keys();
  if (!keys) return true;
  TRY(os::send_all(socket, keys->typed, kPatience));
  return !keys->last;
}

}  // namespace

std::vector<std::string> ssh_command(const VmEntry& vm, const std::vector<std::string>& words) {
  std::vector<std::string> command = {"ssh", "-p", std::to_string(vm.config.ssh_port())};
  if (!vm.config.identity_file.empty()) {
    for (const std::string& word :
         {std::string("-i"), vm.config.identity_file, std::string("-o"), std::string("IdentitiesOnly=yes")}) {
      command.push_back(word);
    }
  }
  // The host key is a new machine's on a port that others had: known by the VM's name, in the VM's
  // folder.
  for (const std::string& option :
       {"UserKnownHostsFile=" + vm.directory.file("known_hosts"), "HostKeyAlias=" + vm.config.name,
        std::string("StrictHostKeyChecking=accept-new")}) {
    command.emplace_back("-o");
    command.push_back(option);
  }
  command.push_back(vm.config.login_user + "@127.0.0.1");
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

Error become(std::vector<std::string> ssh) {
  const std::optional<std::string> program = os::find_program(ssh.at(0));
  if (!program) return Error(ErrorCode::kNotFound, "ssh is not installed: install openssh-client");
  std::vector<char*> argv;
  for (std::string& word : ssh) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execv(program->c_str(), argv.data());
  return Error::from_errno("start ssh");
}

Error become_ssh(const VmEntry& vm, const std::vector<std::string>& words) {
  if (!vm.directory.in_use()) {
    return Error(ErrorCode::kNotFound,
                 "VM " + vm.config.name + " does not run: `pileus vm start " + vm.config.name + "` starts it");
  }
  if (vm.config.ssh_port() == 0) return Error(ErrorCode::kUnsupported, "no port leads to the VM's SSH server");
  return become(ssh_command(vm, words));
}

Result<ConsoleEnd> attach_console(const VmEntry& vm, ConsoleKind kind) {
  const bool serial = kind == ConsoleKind::kSerial;
  const Result<os::Fd> connected =
      os::connect_unix(serial ? vm.directory.console_socket() : vm.directory.virtio_console_socket());
  if (!connected) {
    return Error(ErrorCode::kNotFound,
                 "VM " + vm.config.name + " does not run: `pileus vm start " + vm.config.name + "` starts it");
  }
  const int socket = connected->get();
  std::fprintf(stderr, "Connected to the %s console of %s; Ctrl-] leaves it.\n", serial ? "serial" : "virtio",
               vm.config.name.c_str());
  const RawTerminal raw;
  std::array<pollfd, 2> entries = {pollfd{.fd = socket, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0}};
  while (!interrupted()) {
    if (::poll(entries.data(), entries.size(), kPollMs) <= 0) continue;
    if (entries[0].revents != 0) {
      const Result<std::string> output = os::receive_some(socket, kPatience);
      if (!output || output->empty()) return ConsoleEnd::kVmEnded;
      TRY(os::write_all(STDOUT_FILENO, *output));
    }
    if (entries[1].revents != 0) {
      const Result<bool> more = pass_keys(socket);
      if (!more) return ConsoleEnd::kVmEnded;
      if (!*more && ::isatty(STDIN_FILENO) == 1) return ConsoleEnd::kLeft;
      if (!*more) entries[1].fd = -1;  // a script's input has ended: go on showing output
    }
  }
  return ConsoleEnd::kLeft;
}

}  // namespace pileus::cli
