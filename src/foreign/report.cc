#include "foreign/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pileus::foreign {
namespace {

using nlohmann::json;

Error refuse(Format format, const std::string& why) {
  return {ErrorCode::kUnsupported, "the " + std::string(format_name(format)) + " disk " + why};
}

bool is_of(const json& extent, std::string_view own_name) {
  return extent.is_object() && extent.value("filename", json()) == own_name;
}

}  // namespace

Result<u64> size_in_report(std::string_view text, Format format, std::string_view own_name) {
  const json report = json::parse(text, nullptr, false);
  const json size = report.is_object() ? report.value("virtual-size", json()) : json();
  if (!size.is_number_unsigned()) return Error(ErrorCode::kCorrupt, "qemu-img tells nothing of the disk");
  if (report.contains("backing-filename"))
    return refuse(format, "lies on a backing file: give one that holds all of it");
  if (report.value("encrypted", json()) == true) return refuse(format, "is encrypted");
  const json::json_pointer of_format("/format-specific/data");
  const json details = report.contains(of_format) ? report.at(of_format) : json();
  if (details.is_object()) {
    if (details.contains("data-file")) {
      return refuse(format, "keeps its data in another file: give one that holds all of it");
    }
    const json extents = details.value("extents", json());
    if (!std::ranges::all_of(extents, [&](const json& each) { return is_of(each, own_name); })) {
      return refuse(format, "is a description of other files: give it as one sparse or stream-optimized file");
    }
  }
  TRY(check_disk_size(size.get<u64>()));
  return size.get<u64>();
}

}  // namespace pileus::foreign
