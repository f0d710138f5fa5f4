// The only file built with exceptions: CLI11 reports by them.
#include "options.h"

#include <CLI/CLI.hpp>

namespace pileus::switchd {

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  CLI::App app("Pileus' virtual switch: links the VMs of this machine with each other and the world", "pileus-switchd");
  app.footer(
      "\nExamples:\n"
      "  pileus-switchd --data /var/lib/pileus/cloud/host/switch\n"
      "\nWhat it is to do comes over DATA/control.sock, from pileus-hostd, and is kept in DATA/config.json.\n"
      "It needs no privileges. SIGTERM ends it; VMs wait for the next one, which goes on where this one stopped.");
  app.add_option("--data", options.data, "Folder for the sockets and the configuration; made if missing")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return options;
}

}  // namespace pileus::switchd
