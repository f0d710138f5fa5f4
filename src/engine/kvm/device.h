// Device: the host's /dev/kvm, opened and checked for all that the engine needs.
//
// The interface is that of Linux' Documentation/virt/kvm/api.rst; a "capability" is what KVM_CHECK_EXTENSION names.
#pragma once

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <string>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "os/fd.h"

namespace pileus::engine::kvm {

class Device {
 public:
  // An error says in one sentence what is missing and what to do.
  static Result<Device> open(const std::string& path = "/dev/kvm");

  int fd() const { return file_.get(); }
  // What KVM answers for the capability; 0 = absent.
  int capability(unsigned long number) const;
  u64 vcpu_mapping_bytes() const { return vcpu_mapping_bytes_; }
  // What this KVM can show to a guest.
  const std::vector<kvm_cpuid_entry2>& supported_cpuid() const { return supported_cpuid_; }

 private:
  explicit Device(os::Fd file) : file_(std::move(file)) {}
  Result<> check_capabilities() const;
  Result<> read_cpuid();

  os::Fd file_;
  u64 vcpu_mapping_bytes_ = 0;
  std::vector<kvm_cpuid_entry2> supported_cpuid_;
};

// ioctl(2), again when a signal came in between; what it returned, or an error that names `what`.
template <typename T>
Result<int> call(int fd, unsigned long request, T argument, const char* what) {
  int result = 0;
  do {
    result = ::ioctl(fd, request, argument);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return Error::from_errno(what);
  return result;
}

}  // namespace pileus::engine::kvm
