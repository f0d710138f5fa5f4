// BtVcpu: one vCPU's run loop, and its state in and out.
#pragma once

#include <memory>

#include "engine/bt/context.h"
#include "engine/bt/debug.h"
#include "engine/bt/direct/direct.h"
#include "engine/bt/interp.h"
#include "engine/bt/lapic.h"
#include "engine/bt/native_cell.h"
#include "engine/bt/signals.h"
#include "engine/bt/vm.h"
#include "engine/engine.h"
#include "os/mapping.h"

namespace pileus::engine::bt {

class BtVcpu final : public Vcpu {
 public:
  static Result<std::unique_ptr<BtVcpu>> create(Vm& vm, u32 id);
  ~BtVcpu() override;

  Exit run() override;
  void kick() override;
  CpuState state() const override;
  Result<> set_state(const CpuState& state) override;
  Result<> set_debug(const DebugSettings& settings) override;

  const Context& context() const { return *context_; }

 private:
  BtVcpu(Vm& vm, Context* context, u8* cell_room);
  void run_guest();
  void run_directly();
  bool run_step(DebugStop* stop);
  void wait_halted(VcpuThread& thread);

  Vm& vm_;
  Context* context_;  // in its own mapping, zeroed lazily
  Lapic lapic_;
  NativeCells cells_;
  os::Mapping returns_;    // memory of Context::returns
  os::Mapping void_page_;  // Context::void_page
  os::Mapping decoded_;  // a DecodeCache
  direct::Direct direct_;
  Debug debug_;
  std::atomic<bool> kicked_{false};
};

}  // namespace pileus::engine::bt
