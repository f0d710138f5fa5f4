// The readers, one for each format.
#pragma once

#include "foreign/disk_reader.h"

namespace pileus::foreign {

Result<std::unique_ptr<DiskReader>> open_raw(std::unique_ptr<Input> input);
Result<std::unique_ptr<DiskReader>> open_qcow2(std::unique_ptr<Input> input);
Result<std::unique_ptr<DiskReader>> open_vmdk(std::unique_ptr<Input> input);
Result<std::unique_ptr<DiskReader>> open_vhd(std::unique_ptr<Input> input);

// A disk that is the first `size` bytes of the input, which has them.
std::unique_ptr<DiskReader> bytes_of_input(std::unique_ptr<Input> input, u64 size, Format format);

// A disk's size as a file says it.
Result<> check_disk_size(u64 bytes);

}  // namespace pileus::foreign
