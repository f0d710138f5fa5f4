#include "model/keys.h"

#include <array>

namespace pileus::model {
namespace {

constexpr std::array<std::string_view, 22> kFolders = {kInstancesPrefix,
                                                       "v1/images/",
                                                       kHostsPrefix,
                                                       "v1/key-pairs/",
                                                       "v1/security-groups/",
                                                       "v1/rules/",
                                                       "v1/vpcs/",
                                                       "v1/subnets/",
                                                       "v1/volumes/",
                                                       "v1/snapshots/",
                                                       "v1/interfaces/",
                                                       "v1/addresses/",
                                                       "v1/associations/",
                                                       "v1/reservations/",
                                                       kGroupsPrefix,
                                                       "v1/vpc-blocks/",
                                                       "v1/internet-gateways/",
                                                       "v1/route-tables/",
                                                       "v1/route-table-associations/",
                                                       "v1/launch-templates/",
                                                       "v1/transfers/",
                                                       "v1/join-tokens/"};
static_assert(kFolders.size() == static_cast<std::size_t>(IdKind::kJoinToken) + 1);

// Tokens and names are the client's bytes: in a key they are hexadecimal, so that no slash of theirs leads elsewhere.
std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<u8>(c);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

std::string_view kind_prefix(IdKind kind) { return kFolders[static_cast<std::size_t>(kind)]; }

std::string record_key(IdKind kind, std::string_view id, std::string_view part) {
  std::string key(kind_prefix(kind));
  return key.append(id).append("/").append(part);
}

std::string type_key(std::string_view name) { return std::string(kTypesPrefix).append(name); }
std::string account_key(const AccountId& id) { return std::string(kAccountsPrefix).append(id.text()); }

std::string subnet_addresses_prefix(SubnetId subnet) { return "v1/subnet-addresses/" + subnet.text() + "/"; }
std::string subnet_address_key(SubnetId subnet, std::string_view address) {
  return subnet_addresses_prefix(subnet).append(address);
}

std::string token_key(const AccountId& account, std::string_view action, std::string_view token) {
  return std::string(kTokensPrefix).append(account.text()).append("/").append(action).append("/").append(hex(token));
}

std::string image_name_key(const AccountId& account, std::string_view name) {
  return std::string("v1/image-names/").append(account.text()).append("/").append(hex(name));
}

KeyParts split_key(IdKind kind, std::string_view key) {
  const std::string_view folder = kind_prefix(kind);
  if (!key.starts_with(folder)) return {};
  key.remove_prefix(folder.size());
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return {};
  return {key.substr(0, slash), key.substr(slash + 1)};
}

}  // namespace pileus::model
