// Vm: one KVM virtual machine: its memory, its interrupt messages, what its vCPUs share.
#pragma once

#include <linux/kvm.h>

#include <memory>

#include "base/ints.h"
#include "engine/engine.h"
#include "engine/kvm/device.h"
#include "engine/kvm/dirty_log.h"
#include "engine/kvm/gsi_routes.h"
#include "os/fd.h"

namespace pileus::engine::kvm {

class Vm final : public guest::DoorbellWatcher {
 public:
  static Result<std::unique_ptr<Vm>> create(const Config& config);
  ~Vm() override { config_.mmio->watch_doorbells(nullptr); }

  const Config& config() const { return config_; }
  const Device& device() const { return device_; }
  int fd() const { return file_.get(); }
  KvmDirtyLog& dirty_log() { return *dirty_log_; }
  // Those of the configured model.
  const CpuFeatures& features() const { return features_; }
  // Nanoseconds for each cycle of the APIC timer's input clock.
  u64 apic_cycle_ns() const { return apic_cycle_ns_; }

  // Any thread.
  void signal_msi(u64 address, u32 data);
  // One that the kernel sends by itself (irqfd), where it can, else one that sends to `sink`.
  std::unique_ptr<guest::MsiSource> make_source(guest::MsiSink& sink);
  // The guest's KVM clock from now on.
  Result<> set_clock(u64 ns);

  // The kernel rings doorbells by itself (ioeventfd): the vCPU stays in the guest.
  void on_doorbell_added(u64 address, int event) override { set_doorbell(address, event, 0); }
  void on_doorbell_removed(u64 address, int event) override {
    set_doorbell(address, event, KVM_IOEVENTFD_FLAG_DEASSIGN);
  }

 private:
  Vm(const Config& config, Device device, os::Fd file)
      : config_(config),
        device_(std::move(device)),
        file_(std::move(file)),
        routes_(file_.get(), static_cast<u32>(device_.capability(KVM_CAP_IRQ_ROUTING))) {}
  Result<> enable(u32 capability, u64 argument, const char* what);
  Result<> set_up_processors();
  Result<> add_memory();
  void set_doorbell(u64 address, int event, u32 flags) const;

  const Config config_;
  Device device_;
  os::Fd file_;
  CpuFeatures features_;
  u64 apic_cycle_ns_ = 1;
  std::unique_ptr<KvmDirtyLog> dirty_log_;
  GsiRoutes routes_;
  bool has_irqfd_ = false;
};

}  // namespace pileus::engine::kvm
