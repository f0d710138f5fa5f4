#include "model/id.h"

#include <sys/random.h>

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace pileus::model {
namespace {

constexpr std::array<std::string_view, 22> kPrefixes = {
    "i",   "ami",  "h",        "key",      "sg",       "sgr", "vpc", "subnet",
    "vol", "snap", "eni",      "eipalloc", "eipassoc", "r",   "pg",  "vpc-cidr-assoc",
    "igw", "rtb",  "rtbassoc", "lt",       "transfer", "jt"};
static_assert(kPrefixes.size() == static_cast<std::size_t>(IdKind::kJoinToken) + 1);
constexpr std::size_t kDigits = 17;
constexpr std::size_t kAccountDigits = 12;
constexpr u64 kAccounts = 1'000'000'000'000;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::string_view id_prefix(IdKind kind) { return kPrefixes[static_cast<std::size_t>(kind)]; }

Result<u64> parse_id(IdKind kind, std::string_view text) {
  const std::string_view prefix = id_prefix(kind);
  const auto malformed = [&] {
    return Error(ErrorCode::kInvalid,
                 fmt::format("'{}' is not an id of the form {}-0123456789abcdef0", text.substr(0, 64), prefix));
  };
  if (text.size() != prefix.size() + 1 + kDigits || !text.starts_with(prefix) || text[prefix.size()] != '-') {
    return malformed();
  }
  const std::string_view digits = text.substr(prefix.size() + 1);
  for (const char c : digits) {
    if (!is_hex(c)) return malformed();
  }
  u64 value = 0;
  std::from_chars(digits.data() + 1, digits.data() + digits.size(), value, 16);
  if (digits[0] != '0' || value == 0) return Error(ErrorCode::kNotFound, fmt::format("'{}' does not exist", text));
  return value;
}

std::string format_id(IdKind kind, u64 value) { return fmt::format("{}-0{:016x}", id_prefix(kind), value); }

u64 random_id() {
  u64 value = 0;
  while (value == 0) CHECK(getrandom(&value, sizeof value, 0) == sizeof value);
  return value;
}

Result<AccountId> AccountId::parse(std::string_view text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (text.size() != kAccountDigits || !digits) {
    return Error(ErrorCode::kInvalid, fmt::format("'{}' is not an account: that has 12 digits", text.substr(0, 64)));
  }
  return AccountId(std::string(text));
}

AccountId AccountId::random() { return AccountId(fmt::format("{:012}", random_id() % kAccounts)); }

}  // namespace pileus::model
