// How the administrator edits the table of instance types.
#include "ec2/own/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr u64 kUsualDiskGib = 8;
constexpr i64 kMaxNumber = i64{1} << 31;  // model::check() knows the limits; this one fits everywhere

Reply<u64> amount(const Call& call, std::string_view name, u64 before) {
  const i64 wished = TRY(call.parameters.integer(name, static_cast<i64>(before)));
  if (wished >= 0 && wished <= kMaxNumber) return static_cast<u64>(wished);
  return ApiError("InvalidParameterValue", std::string(name) + " is out of range");
}

// Reads the row that the request names, changes it and writes it, until nobody else changed it in between.
Reply<> change_type(Call& call, pugi::xml_node answer,
                    const std::function<Reply<>(model::InstanceType&, bool exists)>& edit) {
  const std::string key = model::type_key(call.parameters.get("InstanceType"));
  const auto attempt = [&]() -> Reply<bool> {
    auto type = TRY(control::read<model::InstanceType>(call.store, key));
    TRY(edit(type.value, type.exists()));
    control::Change change;
    change.update(key, type.value, type.revision);
    return TRY(change.commit(call.store)).has_value();
  };
  TRY(retry(attempt));
  add_flag(answer, "return", true);
  return {};
}

}  // namespace

Reply<> pileus_set_instance_type(Call& call, pugi::xml_node answer) {
  return change_type(call, answer, [&](model::InstanceType& type, bool exists) -> Reply<> {
    model::Resources& takes = type.takes;
    if (!exists) takes.disk_gib = kUsualDiskGib;
    type.name = call.parameters.get("InstanceType");
    type.offered = true;
    takes.vcpus = static_cast<u32>(TRY(amount(call, "Vcpus", takes.vcpus)));
    takes.memory_mib = TRY(amount(call, "MemoryMiB", takes.memory_mib));
    takes.disk_gib = TRY(amount(call, "DiskGiB", takes.disk_gib));
    const Result<> good = model::check(type);
    if (!good) return ApiError("InvalidParameterValue", good.error().message());
    return {};
  });
}

Reply<> pileus_withdraw_instance_type(Call& call, pugi::xml_node answer) {
  return change_type(call, answer, [&](model::InstanceType& type, bool exists) -> Reply<> {
    const std::string& name = call.parameters.get("InstanceType");
    if (!exists) return ApiError("InvalidInstanceType", "There is no instance type '" + name.substr(0, 60) + "'");
    type.offered = false;
    return {};
  });
}

}  // namespace pileus::ec2
