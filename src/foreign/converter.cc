#include "foreign/converter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "foreign/report.h"
#include "foreign/sandbox.h"
#include "os/file.h"

namespace pileus::foreign {
namespace {

using Words = std::vector<std::string>;
constexpr const char* kProgram = "/usr/bin/qemu-img";
constexpr int kOnlyLeaks = 3;  // of `check`: room of the file that is not used
constexpr int kCannotCheck = 63;
// What a file has beside the bytes of its disk, at most: headers, and a part of the bytes.
constexpr u64 kHeaders = 16 * kMiB;
constexpr u64 kTables = 64;

// Of processor time, for each GiB of a disk: several times what a slow host takes.
constexpr std::chrono::seconds kToUnpack{20};
constexpr std::chrono::seconds kToPack{120};

std::chrono::seconds time_for(u64 disk_bytes, std::chrono::seconds per_gib) {
  return std::chrono::minutes(10) + per_gib * (disk_bytes / kGiB);
}

// The input as an explicit chain of drivers: nothing is guessed, and its name is never taken for a URL. A VHD is as large as
// it says; by its geometry, which qemu-img believes more in some of them, its end would be lost.
std::string input_options(Format format) {
  const auto driver = [format] {
    switch (format) {
      case Format::kRaw: return "raw";
      case Format::kQcow2: return "qcow2";
      case Format::kVmdk: return "vmdk";
      case Format::kVhd: return "vpc,force_size_calc=current_size";
    }
    return "";
  };
  return std::string("driver=") + driver() + ",file.driver=file,file.filename=" + Sandbox::kInput;
}

// The last line of qemu-img's that tells of a failure, without the names that files have in the sandbox.
std::string reason(const os::Output& output) {
  constexpr std::string_view kBegin = "qemu-img: ";
  constexpr std::string_view kAfterName = "': ";
  const std::size_t found = output.text.rfind(kBegin);
  if (found == std::string::npos) return "qemu-img ended with " + output.status.describe();
  std::string line = output.text.substr(found + kBegin.size());
  line.resize(std::min(line.find('\n'), line.size()));
  const std::size_t name = line.starts_with("Could not open '") ? line.find(kAfterName) : std::string::npos;
  return name == std::string::npos ? line : line.substr(name + kAfterName.size());
}

Error failure(Format format, const std::string& why) {
  return {ErrorCode::kCorrupt, "the " + std::string(format_name(format)) + " disk " + why};
}

// "    (42.50/100%)", the last one.
double part_in(std::string_view printed) {
  const std::size_t end = printed.rfind("/100%)");
  const std::size_t begin = end == std::string_view::npos ? end : printed.rfind('(', end);
  double percent = 0;
  if (begin != std::string_view::npos) std::from_chars(&printed[begin] + 1, &printed[end], percent);
  return std::clamp(percent / 100, 0.0, 1.0);
}

Result<os::Output> run(const Sandbox& sandbox, const Words& words, const Progress& progress) {
  Words argv = {kProgram};
  argv.insert(argv.end(), words.begin(), words.end());
  return run_sandboxed(sandbox, argv, [&](std::string_view printed) { return progress(part_in(printed)); });
}

Result<u64> inspect(const Sandbox& sandbox, Format format, const Progress& progress) {
  const os::Output told = TRY(run(sandbox, {"info", "--output=json", "--image-opts", input_options(format)}, progress));
  if (!told.status.success()) return failure(format, "cannot be read: " + reason(told));
  return size_in_report(told.text, format, Sandbox::kInput);
}

// What lies behind the end of a file that was cut would otherwise read as zeroes.
Result<> check_whole(const Sandbox& sandbox, Format format, const Progress& progress) {
  const os::Output told = TRY(run(sandbox, {"check", "--image-opts", input_options(format)}, progress));
  const os::ExitStatus& status = told.status;
  if (status.success() || (status.signal == 0 && (status.code == kOnlyLeaks || status.code == kCannotCheck))) return {};
  return failure(format, "is damaged or cut short: see what `qemu-img check` says of it");
}

// Into `sandbox.output`, which is made here.
Result<> convert(const Sandbox& sandbox, Format format, Words options, const Progress& progress) {
  const os::Fd fd = TRY(os::open_file(sandbox.output, O_RDONLY | O_CREAT | O_EXCL, 0600));
  Words words = {"convert", "-p", "--image-opts"};
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {input_options(format), Sandbox::kOutput});
  const auto make = [&]() -> Result<> {
    const os::Output told = TRY(run(sandbox, words, progress));
    if (!told.status.success()) return failure(format, "cannot be converted: " + reason(told));
    if (::fsync(fd.get()) != 0) return Error::from_errno("write a disk's file");
    return {};
  };
  Result<> made = make();
  if (!made) static_cast<void>(os::remove_all(sandbox.output));  // the first failure is the one to be told
  return made;
}

}  // namespace

Result<> convert_to_raw(const std::filesystem::path& from, Format format, const std::filesystem::path& to,
                        const Progress& progress) {
  Sandbox sandbox{.input = from, .output = {}, .output_limit = 0, .processor_time = time_for(0, kToUnpack)};
  const u64 size = TRY(inspect(sandbox, format, progress));
  sandbox.processor_time = time_for(size, kToUnpack);
  TRY(check_whole(sandbox, format, progress));
  sandbox.output = to;
  sandbox.output_limit = size;
  return convert(sandbox, format, {"-O", "raw"}, progress);
}

Result<> convert_from_raw(const std::filesystem::path& from, Format format, const std::filesystem::path& to,
                          const Progress& progress) {
  std::error_code error;
  const u64 size = std::filesystem::file_size(from, error);
  if (error) return Error::from_errno("measure " + from.string(), error.value());
  const Sandbox sandbox{.input = from,
                        .output = to,
                        .output_limit = size + size / kTables + kHeaders,
                        .processor_time = time_for(size, kToPack)};
  const Words options = format == Format::kVmdk ? Words{"-O", "vmdk", "-o", "subformat=streamOptimized"}
                                                : Words{"-O", "vpc", "-o", "subformat=dynamic,force_size=on"};
  return convert(sandbox, Format::kRaw, options, progress);
}

}  // namespace pileus::foreign
