// Records as JSON, for the state store and between programs.
//
// decode() wants every field that encode() writes: a missing one, or one of the wrong kind, is an error that names it;
// unknown ones are dropped. Both are explicitly instantiated in codec.cc for the records of this module.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pileus::model {

inline constexpr std::size_t kMaxRecordSize = 512 * 1024;

// One line of JSON. Text that is not UTF-8 is replaced.
template <typename Record>
std::string encode(const Record& record);

// kCorrupt: not JSON, a field missing or of the wrong kind, larger than kMaxRecordSize.
template <typename Record>
Result<Record> decode(std::string_view text);

}  // namespace pileus::model
