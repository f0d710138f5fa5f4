// The binary translator behind the engine seam.
#include <string>

#include "engine/bt/code_cache.h"
#include "engine/bt/sampler.h"
#include "engine/bt/stubs.h"
#include "engine/bt/vcpu.h"
#include "engine/bt/vm.h"

namespace pileus::engine {

namespace bt {
namespace {

class BtEngine final : public Engine {
 public:
  explicit BtEngine(std::unique_ptr<Vm> vm) : vm_(std::move(vm)), sampler_(*vm_) {}

  Result<Vcpu*> create_vcpu(u32 id) override {
    std::unique_ptr<BtVcpu> vcpu = TRY(BtVcpu::create(*vm_, id));
    vcpus_.push_back(std::move(vcpu));
    return vcpus_.back().get();
  }

  guest::InterruptLine* ext_int_line() override {
    return vm_->config().ext_int != nullptr && !vcpus_.empty() ? &ext_int_line_ : nullptr;
  }

  const char* name() const override { return "bt"; }

  // Intel SDM vol. 3, 11.11; bits 5-11 of the address extend the destination (KVM's KVM_FEATURE_MSI_EXT_DEST_ID).
  void signal_msi(u64 address, u32 data) override {
    if (!guest::is_interrupt({address, data})) return;
    const u32 destination = static_cast<u32>(address >> 12 & 0xFF) | static_cast<u32>(address >> 5 & 0x7F) << 8;
    vm_->deliver(destination, (address & 4) != 0, static_cast<Delivery>(data >> 8 & 7), static_cast<u8>(data),
                 (data & 0x8000) != 0);
  }

  Result<> start_profile(u64 period_ns) override { return sampler_.start(period_ns); }
  Profile stop_profile() override { return sampler_.stop(); }

  Counters counters() const override {
    Context::Stats sum{};
    for (const auto& vcpu : vcpus_) {
      const Context::Stats& one = vcpu->context().stats;
      sum.tlb_fills += one.tlb_fills;
      sum.spaces_kept += one.spaces_kept;
      sum.interpreted += one.interpreted;
      sum.fast_system += one.fast_system;
      sum.fast_faults += one.fast_faults;
      sum.blocks_translated += one.blocks_translated;
      sum.blocks_loaded += one.blocks_loaded;
      sum.block_lookups += one.block_lookups;
      sum.exits += one.exits;
      sum.interrupts += one.interrupts;
      sum.exceptions += one.exceptions;
      sum.page_faults += one.page_faults;
      sum.halts += one.halts;
      sum.code_writes += one.code_writes;
      sum.direct_spaces += one.direct_spaces;
      sum.direct_runs += one.direct_runs;
      sum.direct_faults += one.direct_faults;
      sum.direct_ns += one.direct_ns;
    }
    const std::lock_guard lock(vm_->code().mutex());
    return {{"tlb_fills", sum.tlb_fills},
            {"spaces_kept", sum.spaces_kept},
            {"interpreted", sum.interpreted},
            {"fast_system", sum.fast_system},
            {"fast_faults", sum.fast_faults},
            {"blocks_translated", sum.blocks_translated},
            {"blocks_loaded", sum.blocks_loaded},
            {"block_lookups", sum.block_lookups},
            {"exits", sum.exits},
            {"interrupts", sum.interrupts},
            {"exceptions", sum.exceptions},
            {"page_faults", sum.page_faults},
            {"halts", sum.halts},
            {"code_writes", sum.code_writes},
            {"direct_spaces", sum.direct_spaces},
            {"direct_runs", sum.direct_runs},
            {"direct_faults", sum.direct_faults},
            {"direct_ms", sum.direct_ns / 1'000'000},
            {"code_bytes", vm_->code().code_bytes()},
            {"code_cold_bytes", vm_->code().cold_bytes()},
            {"code_record_bytes", vm_->code().record_bytes()},
            {"code_flushes", vm_->code().generation()}};
  }

 private:
  class ExtIntLine : public guest::InterruptLine {
   public:
    explicit ExtIntLine(BtEngine& engine) : engine_(engine) {}
    void set(bool level) override { engine_.vcpus_.front()->context().lapic->set_ext_int(level); }

   private:
    BtEngine& engine_;
  };

  ExtIntLine ext_int_line_{*this};
  std::unique_ptr<Vm> vm_;
  std::vector<std::unique_ptr<BtVcpu>> vcpus_;
  Sampler sampler_;
};

}  // namespace
}  // namespace bt

Result<std::unique_ptr<Engine>> create_bt(const Config& config) {
  TRY(bt::install_signal_handlers());
  if (!__builtin_cpu_supports("bmi2")) {
    return Error(ErrorCode::kUnsupported,
                 "the bt engine needs a processor with BMI2 (Intel Haswell, AMD Zen or later)");
  }
  std::unique_ptr<bt::Vm> vm = TRY(bt::Vm::create(config));
  return std::unique_ptr<Engine>(new bt::BtEngine(std::move(vm)));
}

}  // namespace pileus::engine
