// KVM behind the engine seam.
#include "engine/kvm/kick.h"
#include "engine/kvm/vcpu.h"
#include "engine/kvm/vm.h"

namespace pileus::engine {

namespace kvm {
namespace {

class KvmEngine final : public Engine {
 public:
  explicit KvmEngine(std::unique_ptr<Vm> vm) : vm_(std::move(vm)) {}

  Result<Vcpu*> create_vcpu(u32 id) override {
    std::unique_ptr<KvmVcpu> vcpu = TRY(KvmVcpu::create(*vm_, id, sampler_));
    vcpus_.push_back(std::move(vcpu));
    return vcpus_.back().get();
  }

  guest::InterruptLine* ext_int_line() override {
    return vm_->config().ext_int != nullptr && !vcpus_.empty() ? &ext_int_line_ : nullptr;
  }

  const char* name() const override { return "kvm"; }
  void signal_msi(u64 address, u32 data) override { vm_->signal_msi(address, data); }
  std::unique_ptr<guest::MsiSource> make_source() override { return vm_->make_source(*this); }

  DirtyLog* dirty_log() override { return &vm_->dirty_log(); }

  Result<> start_profile(u64 period_ns) override {
    std::vector<Sampled*> sampled;
    for (const auto& vcpu : vcpus_) sampled.push_back(vcpu.get());
    return sampler_.start(period_ns, std::move(sampled));
  }
  Profile stop_profile() override { return sampler_.stop(); }

  Counters counters() const override {
    u64 port = 0, mmio = 0, eoi = 0, signal = 0, dirty_ring = 0, other = 0;
    for (const auto& vcpu : vcpus_) {
      const ExitCounts& exits = vcpu->exits();
      port += exits.port;
      mmio += exits.mmio;
      eoi += exits.eoi;
      signal += exits.signal;
      dirty_ring += exits.dirty_ring;
      other += exits.other;
    }
    return {{"exits", port + mmio + eoi + signal + dirty_ring + other},
            {"exits_port", port},
            {"exits_mmio", mmio},
            {"exits_eoi", eoi},
            {"exits_signal", signal},
            {"exits_dirty_ring", dirty_ring},
            {"exits_other", other}};
  }

 private:
  class ExtIntLine : public guest::InterruptLine {
   public:
    explicit ExtIntLine(KvmEngine& engine) : engine_(engine) {}
    void set(bool level) override { engine_.vcpus_.front()->set_ext_int(level); }

   private:
    KvmEngine& engine_;
  };

  ExtIntLine ext_int_line_{*this};
  std::unique_ptr<Vm> vm_;
  std::vector<std::unique_ptr<KvmVcpu>> vcpus_;
  Sampler sampler_;
};

}  // namespace
}  // namespace kvm

Result<std::unique_ptr<Engine>> create_kvm(const Config& config) {
  TRY(kvm::install_kick_handler());
  std::unique_ptr<kvm::Vm> vm = TRY(kvm::Vm::create(config));
  return std::unique_ptr<Engine>(new kvm::KvmEngine(std::move(vm)));
}

}  // namespace pileus::engine
