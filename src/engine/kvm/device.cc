#include "engine/kvm/device.h"

#include <fcntl.h>

#include <array>

#include "engine/kvm/list.h"

namespace pileus::engine::kvm {

namespace {

constexpr int kApiVersion = 12;  // the only one there has been since Linux 2.6.22

struct Need {
  unsigned long number;
  const char* name;
};
constexpr std::array kNeeds{
    Need{KVM_CAP_USER_MEMORY, "user memory regions"},
    Need{KVM_CAP_IMMEDIATE_EXIT, "immediate exits"},
    Need{KVM_CAP_SPLIT_IRQCHIP, "local APICs without its own IOAPIC"},
    Need{KVM_CAP_X2APIC_API, "the x2APIC interface"},
    Need{KVM_CAP_SIGNAL_MSI, "interrupt messages"},
    Need{KVM_CAP_TSC_DEADLINE_TIMER, "the TSC-deadline timer"},
    Need{KVM_CAP_EXT_CPUID, "CPUID settings"},
    Need{KVM_CAP_SREGS2, "system registers with flags"},
    Need{KVM_CAP_XSAVE, "extended processor states"},
    Need{KVM_CAP_XCRS, "extended control registers"},
    Need{KVM_CAP_DEBUGREGS, "debug registers"},
    Need{KVM_CAP_VCPU_EVENTS, "vCPU events"},
    Need{KVM_CAP_MP_STATE, "multiprocessing states"},
    Need{KVM_CAP_ADJUST_CLOCK, "setting the guest's clock"},
    Need{KVM_CAP_GET_TSC_KHZ, "the TSC's frequency"},
};

Error cannot_open(const std::string& path) {
  switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return {ErrorCode::kUnsupported,
              "this host has no " + path +
                  ": switch on virtualization in its firmware and load kvm_intel or kvm_amd, or use --engine bt"};
    case EACCES:
    case EPERM:
      return {ErrorCode::kPermission,
              "you may not open " + path + ": have yourself added to the group that owns it, or use --engine bt"};
    default: return Error::from_errno("open " + path);
  }
}

}  // namespace

Result<Device> Device::open(const std::string& path) {
  os::Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.valid()) return cannot_open(path);
  Device device(std::move(file));
  const int version = ::ioctl(device.fd(), KVM_GET_API_VERSION, 0);
  if (version != kApiVersion) return Error(ErrorCode::kUnsupported, path + " is not KVM: use --engine bt");
  TRY(device.check_capabilities());
  device.vcpu_mapping_bytes_ =
      static_cast<u64>(TRY(call(device.fd(), KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE")));
  TRY(device.read_cpuid());
  return device;
}

int Device::capability(unsigned long number) const {
  const int answer = ::ioctl(fd(), KVM_CHECK_EXTENSION, number);
  return answer < 0 ? 0 : answer;
}

Result<> Device::check_capabilities() const {
  for (const Need& need : kNeeds) {
    if (capability(need.number) > 0) continue;
    return Error(ErrorCode::kUnsupported, std::string("this host's KVM lacks ") + need.name +
                                              ": use a kernel of Linux 5.14 or later, or --engine bt");
  }
  return {};
}

Result<> Device::read_cpuid() {
  constexpr u32 kMaxEntries = 256;
  List<kvm_cpuid_entry2> list(kMaxEntries);
  TRY(call(fd(), list_request(KVM_GET_SUPPORTED_CPUID), list.argument(), "KVM_GET_SUPPORTED_CPUID"));
  supported_cpuid_ = list.entries();
  return {};
}

}  // namespace pileus::engine::kvm
