#include "machine/legacy/legacy_devices.h"

#include "machine/layout.h"

namespace pileus::machine {

LegacyDevices::LegacyDevices(IsaInterrupts& isa, const PowerRequests& power)
    : pit_(isa.line(kIrqTimer), monotonic_ns), pm_(isa.line(kIrqSci), power, monotonic_ns), fast_a20_(power.reset) {
  isa.connect(pic_);
}

Result<std::unique_ptr<LegacyDevices>> LegacyDevices::create(os::EventLoop& loop, IsaInterrupts& isa, Cmos& cmos,
                                                             const PowerRequests& power) {
  std::unique_ptr<LegacyDevices> devices(new LegacyDevices(isa, power));
  devices->pit_alarm_ = TRY(LoopAlarm::create(loop, monotonic_ns, [pit = &devices->pit_] { pit->on_alarm(); }));
  devices->pm_alarm_ = TRY(LoopAlarm::create(loop, monotonic_ns, [pm = &devices->pm_] { pm->on_alarm(); }));
  devices->rtc_alarm_ = TRY(LoopAlarm::create(loop, wall_clock_ns, [&cmos] { cmos.on_alarm(); }));
  devices->pit_.set_alarm(devices->pit_alarm_.get());
  devices->pm_.set_alarm(devices->pm_alarm_.get());
  cmos.connect(isa.line(kIrqRtc), wall_clock_ns);
  cmos.set_alarm(devices->rtc_alarm_.get());
  return devices;
}

Result<> LegacyDevices::add_to(guest::Bus& ports) {
  TRY(ports.add(kPortPic, 2, &pic_.command_ports(0)));
  TRY(ports.add(kPortSecondPic, 2, &pic_.command_ports(1)));
  TRY(ports.add(kPortPicLevels, 2, &pic_.level_ports()));
  TRY(ports.add(kPortPit, 4, &pit_.ports()));
  TRY(ports.add(kPortSystemControl, 1, &pit_.control_port()));
  TRY(ports.add(kPortFastA20, 1, &fast_a20_));
  TRY(ports.add(kPortAcpiPm, AcpiPm::kPorts, &pm_));
  return {};
}

void LegacyDevices::reset() {
  pic_.reset();
  pit_.reset();
  pm_.reset();
}

void LegacyDevices::stop() {
  pit_alarm_.reset();
  pm_alarm_.reset();
  rtc_alarm_.reset();
}

}  // namespace pileus::machine
