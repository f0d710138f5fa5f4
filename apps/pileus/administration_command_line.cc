// The commands for those who run a cloud: hosts, instance types, accounts, what clients need to know.
#include "command_line_parts.h"

namespace pileus::cli {
namespace {

void add_join_tokens(CLI::App* host, CommandLine& line) {
  CLI::App* token = host->add_subcommand("token", "Join tokens, by which machines become hosts");
  token->require_subcommand(1);
  CLI::App* create = leaf(token, "create", "Make a join token for `pileus join`",
                          "  pileus host token create\n  pileus host token create --once --expires 2h\n"
                          "\nIt is shown this once.");
  const std::map<std::string, u64> units = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  create->add_option("--expires", line.cloud.expires_s, "How long machines may join by it: 30m, 2h, 7d")
      ->transform(CLI::AsNumberWithUnit(units))
      ->default_str("24h");
  create->add_flag("--once", line.cloud.once, "Good for one host");
  add_json(create, line);
  CLI::App* list = leaf(token, "ls", "List join tokens and how often they were used", "  pileus host token ls");
  list->alias("list");
  add_json(list, line);
  add_name(
      leaf(token, "revoke", "Let no more machines join by a token", "  pileus host token revoke jt-0123456789abcdef0"),
      line, "The token's id");
}

}  // namespace

void add_cloud_administration(CLI::App& root, CommandLine& line) {
  CLI::App* host = root.add_subcommand("host", "The hosts of the cloud");
  host->require_subcommand(1);
  add_json(leaf(host, "ls", "List hosts and the room they have", "  pileus host ls"), line);
  for (const char* mode : {"maintenance", "active"}) {
    add_name(leaf(host, mode,
                  mode == std::string("active") ? "Let a host get new instances again" : "Give a host no new instances",
                  std::string("  pileus host ") + mode + " h-0123456789abcdef0"),
             line, "The host's id or name");
  }
  add_join_tokens(host, line);
  CLI::App* type = root.add_subcommand("type", "The types that instances can be of");
  type->require_subcommand(1);
  add_json(leaf(type, "ls", "List instance types", "  pileus type ls"), line);
  CLI::App* account = root.add_subcommand("account", "The accounts of the cloud");
  account->require_subcommand(1);
  add_json(leaf(account, "ls", "List accounts", "  pileus account ls"), line);
  CLI::App* create = leaf(account, "create", "Make an account with an access key", "  pileus account create alice");
  add_name(create, line, "Its name");
  create->add_flag("--administrator", line.cloud.administrator, "It may administrate the cloud");
  add_json(create, line);
  leaf(&root, "web", "Print a link that signs in to the cloud's web console: keep it to yourself",
       "  xdg-open \"$(pileus web)\"");
  CLI::App* env = leaf(&root, "env", "Print how to use the cloud with the client of your choice",
                       "  eval \"$(pileus env)\"\n  pileus env boto3\n  pileus env terraform");
  env->add_option("CLIENT", line.cloud.text, "sh, awscli, boto3, ansible, libcloud, terraform or packer (default: sh)")
      ->check(CLI::IsMember({"sh", "awscli", "boto3", "ansible", "libcloud", "terraform", "packer"}));
}

}  // namespace pileus::cli
