// Protocol Buffers (https://protobuf.dev/programming-guides/encoding) as far as etcd's messages need them: fields that are
// numbers, encoded as varints, and fields that are byte strings, which may be messages themselves.
#pragma once

#include <string>
#include <string_view>

#include "base/ints.h"

namespace pileus::state::etcd {

class MessageWriter {
 public:
  // A number of 0 is what a field has that is left out.
  MessageWriter& number(u32 field, u64 value);
  MessageWriter& bytes(u32 field, std::string_view value);
  MessageWriter& message(u32 field, const MessageWriter& value) { return bytes(field, value.bytes_); }
  std::string take() { return std::move(bytes_); }

 private:
  void varint(u64 value);

  std::string bytes_;
};

// The fields of a message, one after the other, in whatever order they were sent. What is no message, or a field that has
// another type than is asked for, makes it bad from then on.
class MessageReader {
 public:
  explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

  // Goes on to the next field; false at the end, or when what follows is no field.
  bool next();
  u64 field() const { return field_; }
  // Of the field. Numbers of 63 bits: etcd has no negative ones. 0 and nothing when it is none.
  u64 number();
  std::string_view bytes();
  bool good() const { return good_; }

 private:
  enum class Type { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  u64 varint();
  std::string_view take(u64 size);
  u64 fail();

  std::string_view rest_;
  u64 field_ = 0;
  Type type_ = Type::kVarint;
  u64 number_ = 0;
  std::string_view bytes_;
  bool good_ = true;
};

}  // namespace pileus::state::etcd
