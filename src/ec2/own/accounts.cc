// Accounts, their quotas and their access keys.
#include "ec2/own/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr i64 kMaxQuota = 1'000'000;

Reply<u64> read_quota(const Call& call, std::string_view name, u64 usual) {
  const i64 quota = TRY(call.parameters.integer(name, static_cast<i64>(usual)));
  if (quota >= 0 && quota <= kMaxQuota) return static_cast<u64>(quota);
  return ApiError("InvalidParameterValue", std::string(name) + " is 0 to " + std::to_string(kMaxQuota));
}

// Leaves what the request does not name.
Reply<model::Quota> read_quotas(const Call& call, model::Quota quota) {
  quota.instances = static_cast<u32>(TRY(read_quota(call, "MaxInstances", quota.instances)));
  quota.vcpus = static_cast<u32>(TRY(read_quota(call, "MaxVcpus", quota.vcpus)));
  quota.volume_gib = TRY(read_quota(call, "MaxVolumeGiB", quota.volume_gib));
  quota.snapshots = static_cast<u32>(TRY(read_quota(call, "MaxSnapshots", quota.snapshots)));
  return quota;
}

Reply<> check_pair(const Call& call) {
  if (call.parameters.has("AccessKeyId") == call.parameters.has("SecretAccessKey")) return {};
  return ApiError("InvalidParameterCombination", "AccessKeyId and SecretAccessKey belong together");
}

ApiError refusal(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kExists: return {"EntityAlreadyExists", error.message(), 409};
    case ErrorCode::kInvalid: return {"InvalidParameterValue", error.message()};
    case ErrorCode::kNotFound: return {"NoSuchEntity", error.message(), 404};
    default: return internal_error(error);
  }
}

void write_key(pugi::xml_node node, const model::AccessKey& key) {
  add(node, "accessKeyId", key.id);
  add(node, "secretAccessKey", key.secret);
}

}  // namespace

Reply<> pileus_create_account(Call& call, pugi::xml_node answer) {
  NewAccount request;
  request.name = call.parameters.get("Name");
  request.access_key = call.parameters.get("AccessKeyId");
  request.secret_key = call.parameters.get("SecretAccessKey");
  request.administrator = TRY(call.parameters.boolean("Administrator", false));
  request.quota = TRY(read_quotas(call, {}));
  TRY(check_pair(call));
  const Result<model::Account> account = create_account(call.store, request, call.clock.now());
  if (!account) return refusal(account.error());
  add(answer, "accountId", account->id.text());
  add(answer, "name", account->name);
  write_key(answer, account->access_keys[0]);
  return {};
}

Reply<> pileus_describe_accounts(Call& call, pugi::xml_node answer) {
  pugi::xml_node set = add(answer, "accountSet");
  for (const model::Account& account : TRY(call.accounts.list())) {
    pugi::xml_node item = add_item(set);
    add(item, "accountId", account.id.text());
    add(item, "name", account.name);
    add_flag(item, "administrator", account.administrator);
    pugi::xml_node keys = add(item, "accessKeySet");
    for (const model::AccessKey& key : account.access_keys) {
      pugi::xml_node each = add_item(keys);
      add(each, "accessKeyId", key.id);
      add_flag(each, "enabled", key.enabled);
    }
    pugi::xml_node quota = add(item, "quota");
    add_number(quota, "instances", account.quota.instances);
    add_number(quota, "vcpus", account.quota.vcpus);
    add_number(quota, "volumeGiB", static_cast<i64>(account.quota.volume_gib));
    add_number(quota, "snapshots", account.quota.snapshots);
    add_time(item, "createdAt", account.created_at);
  }
  return {};
}

Reply<> pileus_modify_account(Call& call, pugi::xml_node answer) {
  TRY(read_quotas(call, {}));  // refuses numbers that are none
  const Result<> changed = change_quota(call.store, call.parameters.get("Name"),
                                        [&](model::Quota& quota) { quota = read_quotas(call, quota).value(); });
  if (!changed) return refusal(changed.error());
  add_flag(answer, "return", true);
  return {};
}

Reply<> pileus_create_access_key(Call& call, pugi::xml_node answer) {
  TRY(check_pair(call));
  const Result<model::AccessKey> key =
      add_access_key(call.store, call.parameters.get("Name"), call.parameters.get("AccessKeyId"),
                     call.parameters.get("SecretAccessKey"));
  if (!key) return refusal(key.error());
  write_key(answer, *key);
  return {};
}

Reply<> pileus_delete_access_key(Call& call, pugi::xml_node answer) {
  const std::string& key = call.parameters.get("AccessKeyId");
  if (key == call.access_key) {
    return ApiError("OperationNotPermitted", "The key that signs a request is not deleted by it: sign with another");
  }
  const Result<> removed = remove_access_key(call.store, call.parameters.get("Name"), key);
  if (!removed) return refusal(removed.error());
  add_flag(answer, "return", true);
  return {};
}

}  // namespace pileus::ec2
