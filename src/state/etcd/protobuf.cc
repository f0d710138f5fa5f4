#include "state/etcd/protobuf.h"

namespace pileus::state::etcd {
namespace {

constexpr unsigned kTypeBits = 3;
constexpr unsigned kGroupBits = 7;  // of a varint's byte; the eighth says that another follows
constexpr u8 kMore = 0x80;

}  // namespace

void MessageWriter::varint(u64 value) {
  for (; value >= kMore; value >>= kGroupBits) bytes_ += static_cast<char>((value & (kMore - 1)) | kMore);
  bytes_ += static_cast<char>(value);
}

MessageWriter& MessageWriter::number(u32 field, u64 value) {
  if (value == 0) return *this;
  varint(u64{field} << kTypeBits);
  varint(value);
  return *this;
}

MessageWriter& MessageWriter::bytes(u32 field, std::string_view value) {
  constexpr u64 kBytes = 2;
  varint(u64{field} << kTypeBits | kBytes);
  varint(value.size());
  bytes_ += value;
  return *this;
}

u64 MessageReader::fail() {
  good_ = false;
  rest_ = {};
  return 0;
}

u64 MessageReader::varint() {
  u64 value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += kGroupBits) {
    const auto byte = static_cast<u8>(rest_.front());
    rest_.remove_prefix(1);
    value |= u64{byte & (kMore - 1U)} << shift;
    if ((byte & kMore) == 0) return value;
  }
  return fail();
}

std::string_view MessageReader::take(u64 size) {
  if (size > rest_.size()) {
    fail();
    return {};
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

bool MessageReader::next() {
  if (rest_.empty()) return false;
  const u64 tag = varint();
  field_ = tag >> kTypeBits;
  type_ = static_cast<Type>(tag & ((1U << kTypeBits) - 1));
  switch (type_) {
    case Type::kVarint: number_ = varint(); break;
    case Type::kFixed64: take(sizeof(u64)); break;
    case Type::kBytes: bytes_ = take(varint()); break;
    case Type::kFixed32: take(sizeof(u32)); break;
    default: fail();
  }
  return good_;
}

u64 MessageReader::number() {
  const bool negative = number_ >> 63 != 0;
  return type_ == Type::kVarint && !negative ? number_ : fail();
}

std::string_view MessageReader::bytes() {
  if (type_ == Type::kBytes) return bytes_;
  fail();
  return {};
}

}  // namespace pileus::state::etcd
