// The only file built with exceptions: CLI11 reports by them.
#include "options.h"

#include <CLI/CLI.hpp>

namespace pileus::hostd {

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  CLI::App app("Pileus' virtualization manager: runs the instances that a cloud places on this machine",
               "pileus-hostd");
  app.footer(
      "\nExamples:\n"
      "  pileus-hostd --data /var/lib/pileus/cloud/host --cloud https://10.0.0.1:8774 --token pileus1.…\n"
      "  pileus-hostd --data /var/lib/pileus/cloud/host\n"
      "\nThe first start joins the cloud; later ones know it. Images are those of $PILEUS_HOME.\n"
      "SIGTERM ends it in order; VMs go on, and the next start finds them.");
  app.add_option("--data", options.data, "Folder for instances and certificates; made if missing")->required();
  app.add_option(
      "--cloud", options.cloud,
      "URL at which the cloud manager serves hosts; of several, all, with commas between them (default: where it was "
      "when we joined)");
  app.add_option("--token", options.token, "Join token of that cloud");
  app.add_option("--manager", options.manager,
                 "Folder of a pileus-cloudd on this machine, in place of --cloud and --token: is waited for");
  app.add_option("--name", options.name, "Name of this host (default: the machine's)");
  app.add_option("--zone", options.zone, "Availability zone it is in (default: the cloud's first)");
  app.add_option("--rack", options.rack, "Rack it is in");
  app.add_option("--tunnel", options.tunnel,
                 "ADDRESS:PORT at which other hosts reach this one's virtual switch, by UDP (usual: port 4789). Not "
                 "encrypted: a network of the hosts' own. Default: instances meet those of this host only");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!options.manager.empty() && !(options.cloud.empty() && options.token.empty())) {
    std::fputs("pileus-hostd: --manager tells what --cloud and --token do: leave these out\n", stderr);
    return 2;
  }
  return options;
}

}  // namespace pileus::hostd
