#include "model/codec.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "model/internal/fields.h"

namespace pileus::model {
namespace {

using Json = nlohmann::json;

template <typename T>
struct IsId : std::false_type {};
template <IdKind kKind>
struct IsId<Id<kKind>> : std::true_type {};

template <typename T>
Json to_json(const T& value);
template <typename T>
Json to_json(const std::vector<T>& values);

struct Writer {
  Json object = Json::object();
  template <typename T>
  void operator()(const char* name, const T& value) {
    object[name] = to_json(value);
  }
  template <typename T>
  void later(const char* name, const T& value) {
    (*this)(name, value);
  }
};

template <typename T>
Json to_json(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json(value));
  return array;
}

template <typename T>
Json to_json(const T& value) {
  if constexpr (Named<T>) {
    return name(value);
  } else if constexpr (IsId<T>::value || std::same_as<T, AccountId>) {
    return value.text();
  } else if constexpr (std::integral<T> || std::same_as<T, std::string> || std::same_as<T, Tags>) {
    return value;
  } else {
    Writer writer;
    internal::fields(writer, value);
    return std::move(writer.object);
  }
}

// What is wrong: the path of the field and a word on it. Empty: nothing yet.
struct Fault {
  std::string field;
  std::string what;
};

template <typename T>
bool from_json(const Json& json, T& value, Fault& fault);
template <typename T>
bool from_json(const Json& json, std::vector<T>& values, Fault& fault);
bool from_json(const Json& json, Tags& tags, Fault& fault);

struct Reader {
  const Json& object;
  Fault& fault;
  template <typename T>
  void operator()(const char* name, T& value) {
    if (!fault.what.empty()) return;
    const auto found = object.find(name);
    if (found == object.end()) {
      fault = {name, "is missing"};
    } else if (!from_json(*found, value, fault)) {
      fault.field = fault.field.empty() ? name : std::string(name) + "." + fault.field;
    }
  }
  // A field that came with a later version: records of before lack it.
  template <typename T>
  void later(const char* name, T& value) {
    if (object.contains(name)) (*this)(name, value);
  }
};

bool wrong(Fault& fault, const char* what) {
  fault.what = what;
  return false;
}

template <typename T>
bool from_json(const Json& json, std::vector<T>& values, Fault& fault) {
  if (!json.is_array()) return wrong(fault, "is not a list");
  for (const Json& entry : json) {
    if (!from_json(entry, values.emplace_back(), fault)) return false;
  }
  return true;
}

bool from_json(const Json& json, Tags& tags, Fault& fault) {
  if (!json.is_object()) return wrong(fault, "is not an object");
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) return wrong(fault, "has a value that is not text");
    tags[key] = value.get<std::string>();
  }
  return true;
}

template <std::integral T>
bool read_number(const Json& json, T& value, Fault& fault) {
  constexpr auto kLimits = std::numeric_limits<T>();
  if (json.is_number_unsigned()) {
    const u64 number = json.get<u64>();
    if (number > static_cast<u64>(kLimits.max())) return wrong(fault, "is too large");
    value = static_cast<T>(number);
    return true;
  }
  if (!json.is_number_integer()) return wrong(fault, "is not an integer");
  const i64 number = json.get<i64>();
  if (std::unsigned_integral<T> || number < static_cast<i64>(kLimits.min())) return wrong(fault, "is too small");
  value = static_cast<T>(number);
  return true;
}

// An id that is none is written as empty text.
template <typename T>
bool read_id(const std::string& text, T& value, Fault& fault) {
  if (text.empty()) return true;
  auto parsed = T::parse(text);
  if (!parsed.ok()) return wrong(fault, "is not an id of its kind");
  value = std::move(parsed).value();
  return true;
}

template <typename T>
bool from_json(const Json& json, T& value, Fault& fault) {
  if constexpr (std::same_as<T, bool>) {
    if (!json.is_boolean()) return wrong(fault, "is not true or false");
    value = json.get<bool>();
    return true;
  } else if constexpr (std::integral<T>) {
    return read_number(json, value, fault);
  } else if constexpr (Named<T> || IsId<T>::value || std::same_as<T, AccountId> || std::same_as<T, std::string>) {
    if (!json.is_string()) return wrong(fault, "is not text");
    const auto& text = json.get_ref<const std::string&>();
    if constexpr (Named<T>) {
      const auto parsed = parse_name<T>(text);
      if (!parsed) return wrong(fault, "has a value that is not known");
      value = *parsed;
      return true;
    } else if constexpr (std::same_as<T, std::string>) {
      value = text;
      return true;
    } else {
      return read_id(text, value, fault);
    }
  } else {
    if (!json.is_object()) return wrong(fault, "is not an object");
    Reader reader{json, fault};
    internal::fields(reader, value);
    return fault.what.empty();
  }
}

}  // namespace

template <typename Record>
std::string encode(const Record& record) {
  return to_json(record).dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename Record>
Result<Record> decode(std::string_view text) {
  if (text.size() > kMaxRecordSize) return Error(ErrorCode::kCorrupt, "a record of more than 512 KiB");
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return Error(ErrorCode::kCorrupt, "a record that is not JSON");
  Record record;
  Fault fault;
  if (!from_json(json, record, fault)) {
    return Error(ErrorCode::kCorrupt,
                 fault.field.empty() ? "the record " + fault.what : "field \"" + fault.field + "\" " + fault.what);
  }
  return record;
}

template std::string encode(const Resources& record);
template Result<Resources> decode(std::string_view text);
template std::string encode(const InstanceType& record);
template Result<InstanceType> decode(std::string_view text);
template std::string encode(const InstanceDesired& record);
template Result<InstanceDesired> decode(std::string_view text);
template std::string encode(const InstancePlaced& record);
template Result<InstancePlaced> decode(std::string_view text);
template std::string encode(const InstanceObserved& record);
template Result<InstanceObserved> decode(std::string_view text);
template std::string encode(const HostDesired& record);
template Result<HostDesired> decode(std::string_view text);
template std::string encode(const HostObserved& record);
template Result<HostObserved> decode(std::string_view text);
template std::string encode(const HostLayers& record);
template Result<HostLayers> decode(std::string_view text);
template std::string encode(const HostClaims& record);
template Result<HostClaims> decode(std::string_view text);
template std::string encode(const HostHealth& record);
template Result<HostHealth> decode(std::string_view text);
template std::string encode(const ImageDesired& record);
template Result<ImageDesired> decode(std::string_view text);
template std::string encode(const ImageObserved& record);
template Result<ImageObserved> decode(std::string_view text);
template std::string encode(const VolumeDesired& record);
template Result<VolumeDesired> decode(std::string_view text);
template std::string encode(const VolumePlaced& record);
template Result<VolumePlaced> decode(std::string_view text);
template std::string encode(const VolumeObserved& record);
template Result<VolumeObserved> decode(std::string_view text);
template std::string encode(const SnapshotDesired& record);
template Result<SnapshotDesired> decode(std::string_view text);
template std::string encode(const SnapshotObserved& record);
template Result<SnapshotObserved> decode(std::string_view text);
template std::string encode(const TransferDesired& record);
template Result<TransferDesired> decode(std::string_view text);
template std::string encode(const TransferPlaced& record);
template Result<TransferPlaced> decode(std::string_view text);
template std::string encode(const TransferObserved& record);
template Result<TransferObserved> decode(std::string_view text);
template std::string encode(const JoinToken& record);
template Result<JoinToken> decode(std::string_view text);
template std::string encode(const VpcDesired& record);
template Result<VpcDesired> decode(std::string_view text);
template std::string encode(const VpcObserved& record);
template Result<VpcObserved> decode(std::string_view text);
template std::string encode(const SubnetDesired& record);
template Result<SubnetDesired> decode(std::string_view text);
template std::string encode(const SubnetObserved& record);
template Result<SubnetObserved> decode(std::string_view text);
template std::string encode(const InterfaceDesired& record);
template Result<InterfaceDesired> decode(std::string_view text);
template std::string encode(const InterfaceObserved& record);
template Result<InterfaceObserved> decode(std::string_view text);
template std::string encode(const AddressDesired& record);
template Result<AddressDesired> decode(std::string_view text);
template std::string encode(const AddressObserved& record);
template Result<AddressObserved> decode(std::string_view text);
template std::string encode(const InternetGateway& record);
template Result<InternetGateway> decode(std::string_view text);
template std::string encode(const RouteTable& record);
template Result<RouteTable> decode(std::string_view text);
template std::string encode(const LaunchTemplate& record);
template Result<LaunchTemplate> decode(std::string_view text);
template std::string encode(const LaunchTemplateVersion& record);
template Result<LaunchTemplateVersion> decode(std::string_view text);
template std::string encode(const SecurityGroup& record);
template Result<SecurityGroup> decode(std::string_view text);
template std::string encode(const Account& record);
template Result<Account> decode(std::string_view text);
template std::string encode(const KeyPair& record);
template Result<KeyPair> decode(std::string_view text);
template std::string encode(const PlacementGroup& record);
template Result<PlacementGroup> decode(std::string_view text);
template std::string encode(const EventLog& record);
template Result<EventLog> decode(std::string_view text);
template std::string encode(const ServedRequests& record);
template Result<ServedRequests> decode(std::string_view text);
template std::string encode(const Idempotency& record);
template Result<Idempotency> decode(std::string_view text);

}  // namespace pileus::model
