// The only file built with exceptions: CLI11 reports by them.
#include "options.h"

#include <CLI/CLI.hpp>

namespace pileus::cloudd {

std::variant<Options, int> parse_options(int argc, char** argv) {
  Options options;
  CLI::App app("Pileus' cloud manager: the EC2-compatible API, placement, controllers", "pileus-cloudd");
  app.footer(
      "\nExamples:\n"
      "  pileus-cloudd --data /var/lib/pileus/cloud/manager\n"
      "  pileus-cloudd --data /tmp/cloud --port 0 --simulate 3\n"
      "\nThe first start makes an account 'root'; DATA/client.json holds its access key and the API's URL.\n"
      "SIGTERM ends it in order. `pileus up` starts one together with a host.");
  auto* data = app.add_option("--data", options.data, "Folder for state, certificates and keys; made if missing");
  app.add_option("--state", options.state,
                 "Where the cloud's state is: sqlite:FOLDER, etcd://HOST:PORT,... (default: DATA)");
  app.add_option("--address", options.address, "Address that the API is served at")->capture_default_str();
  app.add_option("--host-address", options.host_address, "Address that hosts are served at (default: --address)");
  app.add_option("--port", options.port, "Port of the API; 0: any that is free")->capture_default_str();
  app.add_option("--host-port", options.host_port, "Port for hosts; 0: any that is free")->capture_default_str();
  app.add_option("--host-name", options.host_names, "Name or address at which hosts reach us; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--region", options.region, "Name of the region")->capture_default_str();
  app.add_option("--zone", options.zones, "Name of an availability zone; may be repeated (default: REGIONa)")
      ->allow_extra_args(false);
  app.add_option("--console", options.console, "Folder of the web console (default: the one built or installed)");
  app.add_option("--placement", options.placement,
                 "Which host gets an instance: pack (the fullest that holds it), spread (the emptiest) or fit (the one "
                 "whose rest has its proportions)")
      ->check(CLI::IsMember({"pack", "spread", "fit"}))
      ->capture_default_str();
  app.add_option("--request-rate", options.request_rate,
                 "Requests a second that an account may send in the long run; more get RequestLimitExceeded")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--request-burst", options.request_burst, "Requests that an account may send at once after a rest")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--simulate", options.simulate, "Have so many hosts that only pretend to run VMs");
  app.add_flag("--print-api", options.print_api, "Print the API's documentation and end")->excludes(data);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (options.data.empty() && !options.print_api) {
    std::fputs("pileus-cloudd: --data is missing: name a folder for the cloud's state\n", stderr);
    return 2;
  }
  if (options.host_address.empty()) options.host_address = options.address;
  if (options.zones.empty()) options.zones = {options.region + "a"};
  return options;
}

}  // namespace pileus::cloudd
