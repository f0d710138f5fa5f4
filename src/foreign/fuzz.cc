#include "foreign/fuzz.h"

#include "foreign/report.h"

namespace pileus::foreign {

void fuzz_report(std::span<const u8> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const Result<u64> size = size_in_report(text, Format::kVmdk, "/input");
  CHECK(!size || (*size != 0 && *size <= kMaxDisk));
  static_cast<void>(recognize(input.first(input.size() / 2), input.subspan(input.size() / 2)));
}

}  // namespace pileus::foreign
