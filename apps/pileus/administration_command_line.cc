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

// A whole number that is handed on to the API under this name.
void add_number(CLI::App* app, CommandLine& line, const std::string& option, const std::string& parameter,
                const std::string& what) {
  app->add_option_function<u64>(
      option, [&line, parameter](u64 value) { line.cloud.parameters[parameter] = std::to_string(value); }, what);
}

// The same of an amount of memory like 2G, of which the API is told in MiB.
void add_memory(CLI::App* app, CommandLine& line, const std::string& option, const std::string& parameter,
                const std::string& what) {
  app->add_option_function<u64>(
         option, [&line, parameter](u64 bytes) { line.cloud.parameters[parameter] = std::to_string(bytes / kMiB); },
         what)
      ->transform(CLI::AsSizeValue(false));
}

void add_hosts(CLI::App& root, CommandLine& line) {
  CLI::App* host = root.add_subcommand("host", "The hosts of the cloud");
  host->require_subcommand(1);
  add_json(leaf(host, "ls", "List hosts and the room they have", "  pileus host ls"), line);
  for (const char* mode : {"maintenance", "active"}) {
    add_name(leaf(host, mode,
                  mode == std::string("active") ? "Let a host get new instances again" : "Give a host no new instances",
                  std::string("  pileus host ") + mode + " h-0123456789abcdef0"),
             line, "The host's id or name");
  }
  CLI::App* set = leaf(host, "set", "Say how much of a host may be given away, and where it is",
                       "  pileus host set node1 --vcpus 400 --reserve 2G\n  pileus host set node1 --rack r7\n"
                       "\nPer cent of what the host has: above 100 is overcommitment. Instances there stay.");
  add_name(set, line, "The host's id or name");
  add_number(set, line, "--vcpus", "VcpuPercent", "Processors of instances, in per cent of the host's");
  add_number(set, line, "--memory", "MemoryPercent", "Memory of instances, in per cent of what is not kept back");
  add_number(set, line, "--disk", "DiskPercent", "Disks of instances, in per cent of the host's");
  add_memory(set, line, "--reserve", "ReservedMemoryMiB", "Memory that is kept back for the host itself, like 2G");
  add_parameter(set, line, "--rack", "Rack", "Rack that it is in: what has to be apart is in several");
  add_join_tokens(host, line);
}

void add_types(CLI::App& root, CommandLine& line) {
  CLI::App* type = root.add_subcommand("type", "The types that instances can be of");
  type->require_subcommand(1);
  add_json(leaf(type, "ls", "List instance types", "  pileus type ls"), line);
  CLI::App* set = leaf(type, "set", "Add an instance type, or change one",
                       "  pileus type set tiny.one --vcpus 1 --memory 256M --disk 4\n"
                       "\nInstances that exist keep what they have.");
  add_name(set, line, "Its name");
  add_number(set, line, "--vcpus", "Vcpus", "Number of processors");
  add_memory(set, line, "--memory", "MemoryMiB", "Memory, like 512M or 2G");
  add_number(set, line, "--disk", "DiskGiB", "Size of the root disk in GiB, unless a request says otherwise");
  add_name(leaf(type, "rm", "Offer an instance type no more; instances of it stay", "  pileus type rm tiny.one"), line,
           "Its name");
}

void add_quota(CLI::App* app, CommandLine& line) {
  add_number(app, line, "--max-instances", "MaxInstances", "Most instances that it may have");
  add_number(app, line, "--max-vcpus", "MaxVcpus", "Most processors of them, all together");
  add_number(app, line, "--max-volume-gib", "MaxVolumeGiB", "Most GiB of volumes");
  add_number(app, line, "--max-snapshots", "MaxSnapshots", "Most snapshots");
}

void add_key_pair(CLI::App* app, CommandLine& line) {
  add_parameter(app, line, "--access-key", "AccessKeyId", "Access key that it is to have (default: made up)");
  add_parameter(app, line, "--secret-key", "SecretAccessKey", "And its secret");
  add_json(app, line);
}

void add_accounts(CLI::App& root, CommandLine& line) {
  CLI::App* account = root.add_subcommand("account", "The accounts of the cloud");
  account->require_subcommand(1);
  add_json(leaf(account, "ls", "List accounts, their access keys and what they may have", "  pileus account ls"), line);
  CLI::App* create = leaf(account, "create", "Make an account with an access key",
                          "  pileus account create alice\n  pileus account create ci --max-instances 20\n"
                          "  pileus account create tests --access-key test --secret-key 0123456789abcdef");
  add_name(create, line, "Its name");
  create->add_flag("--administrator", line.cloud.administrator, "It may administrate the cloud");
  add_quota(create, line);
  add_key_pair(create, line);
  CLI::App* set = leaf(account, "set", "Change how much an account may have; what it has stays",
                       "  pileus account set ci --max-instances 50 --max-vcpus 200");
  add_name(set, line, "Its name");
  add_quota(set, line);
  CLI::App* key = account->add_subcommand("key", "The access keys of an account");
  key->require_subcommand(1);
  CLI::App* add = leaf(key, "create", "Give an account another access key", "  pileus account key create alice");
  add_name(add, line, "The account's name");
  add_key_pair(add, line);
  CLI::App* remove = leaf(key, "rm", "Take an access key away: it lets nobody in from then on",
                          "  pileus account key rm alice AKIA0123456789ABCDEF");
  add_name(remove, line, "The account's name");
  remove
      ->add_option_function<std::string>(
          "KEY", [&line](const std::string& text) { line.cloud.parameters["AccessKeyId"] = text; }, "The access key")
      ->required();
}

}  // namespace

void add_cloud_administration(CLI::App& root, CommandLine& line) {
  add_hosts(root, line);
  add_types(root, line);
  add_accounts(root, line);
  leaf(&root, "web", "Print a link that signs in to the cloud's web console: keep it to yourself",
       "  xdg-open \"$(pileus web)\"");
  CLI::App* env = leaf(&root, "env", "Print how to use the cloud with the client of your choice",
                       "  eval \"$(pileus env)\"\n  pileus env boto3\n  pileus env terraform");
  env->add_option("CLIENT", line.cloud.text, "sh, awscli, boto3, ansible, libcloud, terraform or packer (default: sh)")
      ->check(CLI::IsMember({"sh", "awscli", "boto3", "ansible", "libcloud", "terraform", "packer"}));
}

}  // namespace pileus::cli
