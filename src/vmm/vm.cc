#include "vmm/vm.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

#include "base/log.h"
#include "debug/profile/folding.h"
#include "engine/engine.h"
#include "packet/bytes.h"
#include "vmm/disks.h"
#include "vmm/engine_choice.h"
#include "vmm/network.h"

namespace pileus::vmm {
namespace {

// How long a guest may take to shut down after a signal; then it is ended as by pulling the plug.
constexpr u64 kGraceNs = 90'000'000'000;
// How long a press of the power button counts as stopping when nobody pulls the plug.
constexpr u64 kButtonNs = 120'000'000'000;
// A guest that boots hears nothing of a press: so long after it comes the next one.
constexpr u64 kPressAgainNs = 4'000'000'000;
constexpr u64 kSamplePeriodNs = 1'003'009;  // not in step with the guest's timer
constexpr u64 kMaxKernel = 1 * kGiB;

Result<std::variant<machine::KernelBoot, machine::DiskBoot, machine::FirmwareBoot>> boot_source(
    const VmConfig& config) {
  using Boot = std::variant<machine::KernelBoot, machine::DiskBoot, machine::FirmwareBoot>;
  if (!config.firmware.empty())
    return Boot(machine::FirmwareBoot{TRY(os::read_bytes(config.firmware, kMaxKernel).with("--firmware"))});
  if (config.kernel.empty()) return Boot(machine::DiskBoot{.append = config.append});
  machine::KernelBoot boot;
  boot.kernel = TRY(os::read_bytes(config.kernel, kMaxKernel));
  if (!config.initrd.empty()) boot.initrd = TRY(os::read_bytes(config.initrd, kMaxKernel));
  for (const std::string& text : config.modules) {
    std::vector<u8> bytes = TRY(os::read_bytes(text.substr(0, text.find(' ')), kMaxKernel).with("--module"));
    boot.modules.push_back({std::move(bytes), text});
  }
  boot.command_line = config.append;
  if (machine::looks_like_multiboot(boot.kernel)) {
    if (!config.initrd.empty()) {
      return Error(ErrorCode::kInvalid, "a Multiboot kernel takes no --initrd: give it the file as a --module");
    }
  } else if (config.append.empty()) {
    boot.command_line = "console=ttyS0";
  }
  return Boot(std::move(boot));
}

u64 resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  u64 total = 0;
  u64 resident = 0;
  statm >> total >> resident;
  return resident * static_cast<u64>(::sysconf(_SC_PAGESIZE));
}

VmPhase phase_of(machine::EndReason reason) {
  switch (reason) {
    case machine::EndReason::kPoweredOff:
    case machine::EndReason::kExited: return VmPhase::kStopped;
    case machine::EndReason::kCrashed: return VmPhase::kCrashed;
    case machine::EndReason::kStopped: return VmPhase::kKilled;
    case machine::EndReason::kError: return VmPhase::kFailed;
  }
  return VmPhase::kFailed;
}

VmExit exit_of(machine::EndReason reason) {
  switch (reason) {
    case machine::EndReason::kExited: break;  // its status has the code
    case machine::EndReason::kPoweredOff: return VmExit::kPoweredOff;
    case machine::EndReason::kCrashed: return VmExit::kCrashed;
    case machine::EndReason::kStopped: return VmExit::kKilled;
    case machine::EndReason::kError: return VmExit::kError;
  }
  return VmExit::kError;
}

std::string end_message(const machine::End& end) {
  if (end.reason == machine::EndReason::kCrashed && end.message.empty()) return "the guest triple-faulted";
  if (end.reason == machine::EndReason::kExited) {
    return "the guest ended it with code " + std::to_string(end.code) + " at its exit port";
  }
  return end.message;
}

}  // namespace

Result<std::unique_ptr<Vm>> Vm::create(const VmDirectory& directory, const RunOptions& options) {
  std::unique_ptr<Vm> vm(new Vm(directory, options));
  Result<os::FileLock> lock = directory.lock();
  if (!lock && lock.error().code() == ErrorCode::kBusy) {
    return Error(ErrorCode::kBusy, "this VM runs already: `pileus vm ls` shows it");
  }
  // Whoever sees the lock free finds the VM's memory given back, and no process.
  TRY(std::move(lock)).keep_until_exit();
  vm->state_.pid = ::getpid();
  vm->state_.started_unix_s = std::time(nullptr);
  vm->set_phase(VmPhase::kStarting, "");
  const Result<> prepared = vm->prepare();
  if (!prepared) {
    vm->set_phase(VmPhase::kFailed, prepared.error().message());
    return prepared.error();
  }
  return vm;
}

Vm::~Vm() {
  if (control_) {
    control_->loop().call([this] {
      if (disks_) disks_->stop();
      deadline_.reset();
      patience_.reset();
      again_.reset();
      if (signals_.valid()) control_->loop().remove(signals_.get());
    });
  }
}

Result<> Vm::prepare() {
  config_ = TRY(directory_.config());
  TRY(check_host(config_));
  control_ = TRY(virtio::IoThread::start("control"));
  if (options_.gdb) gdb_ = TRY(debug::gdb::Server::listen(*options_.gdb));
  machine::MachineConfig config = TRY(machine_config());
  machine_ = TRY(machine::Machine::create(std::move(config)));
  Result<> watched;
  control_->loop().call([&] {
    watched = watch_signals();
    if (watched) watched = disks_->serve(*machine_, control_->loop());
    if (!watched) return;
    Result<std::unique_ptr<ControlServer>> server = ControlServer::create(
        control_->loop(), directory_.control_socket(), [this](const Request& r) { return answer(r); });
    if (server) {
      server_ = std::move(server).value();
    } else {
      watched = server.error();
    }
  });
  return watched;
}

Result<EngineChoice> Vm::choose_engine() {
  const bool needs_debugger = config_.engine == EngineChoice::kAuto && options_.gdb.has_value();
  const EngineDecision decision =
      needs_debugger ? EngineDecision{EngineChoice::kBt, "GDB was asked for, and kvm has only four breakpoints", false}
                     : TRY(decide_engine(config_.engine, engine::probe_kvm));
  const char* const name = engine_name(decision.engine);
  if (decision.warn) log::warn("{} runs under {}: {}", config_.name, name, decision.reason);
  else log::info("{} runs under {}: {}", config_.name, name, decision.reason);
  {
    const std::lock_guard lock(state_mutex_);
    state_.engine_used = name;
    state_.engine_reason = decision.reason;
  }
  set_phase(VmPhase::kStarting, "");
  return decision.engine;
}

Result<machine::MachineConfig> Vm::machine_config() {
  machine::MachineConfig config;
  config.memory_bytes = config_.memory_bytes;
  config.cpu_count = config_.cpu_count;
  config.paravirt = config_.paravirt;
  config.cpu_model = config_.cpu_model;
  config.direct = config_.direct ? engine::DirectMode::kAuto : engine::DirectMode::kOff;
  const EngineChoice chosen = TRY(choose_engine());
  config.make_engine = [chosen, cache = config_.translation_cache_bytes,
                        file = config_.translation_cache_file](engine::Config engine_config) {
    engine_config.translation_cache_bytes = cache;
    engine_config.translation_cache_file = file;
    return chosen == EngineChoice::kKvm ? engine::create_kvm(engine_config) : engine::create_bt(engine_config);
  };
  config.identity = {.manufacturer = config_.system.manufacturer,
                     .product = config_.system.product,
                     .serial = config_.system.serial,
                     .asset_tag = config_.system.asset_tag,
                     .note = config_.system.note,
                     .uuid = machine::parse_uuid(config_.system.uuid).value_or(machine::Uuid{})};
  config.boot = TRY(boot_source(config_));
  config.exit_port = config_.exit_port;
  config.legacy_devices = config_.legacy_devices;
  config.disk_bus = config_.disk_bus;
  disks_ = std::make_unique<DiskControl>(directory_);
  config.disks = TRY(disks_->open(config_));
  if (!config_.cdrom.empty()) config.cd = TRY(open_cd(config_.cdrom).with("--cdrom"));
  config.on_disk_gone = [this](u32 place) {
    control_->loop().post([this, place] {
      disks_->on_gone(place);
      note_waiting_disks();
    });
  };
  config.on_disk_room = [this](u32 place, const std::string& why) {
    control_->loop().post([this, place, why] {
      disks_->on_room(place, why);
      note_waiting_disks();
    });
  };

  config.io = TRY(virtio::IoThread::start("io"));
  if (const auto mac = packet::parse_mac(config_.mac)) config.mac = *mac;
  if (!config_.switch_port.empty()) config.mtu = kSwitchMtu;
  config.net = TRY(make_network(config.io->loop(), config_, config.mtu));

  config.serial = TRY(make_console(directory_.console_socket(), directory_.console_log()));
  config.console = TRY(make_console(directory_.virtio_console_socket(), directory_.virtio_console_log()));
  // A guest that was asked to stop and resets instead runs on.
  config.on_reset = [this] { not_stopping(""); };
  config.on_debug_stop = [this](u32 cpu, const engine::DebugStop& stop) {
    if (gdb_) gdb_->on_stop(cpu, stop);
  };
  return config;
}

Result<std::unique_ptr<guest::CharBackend>> Vm::make_console(const std::string& socket, const std::string& log) {
  Result<std::unique_ptr<ConsoleHub>> hub = Error(ErrorCode::kIo, "not made");
  control_->loop().call([&] { hub = ConsoleHub::create(control_->loop(), socket, log); });
  return std::unique_ptr<guest::CharBackend>(TRY(std::move(hub)));
}

Result<> Vm::watch_signals() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&wanted, number);
  signals_ = os::Fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.valid()) return Error::from_errno("signalfd");
  deadline_ = TRY(os::Timer::create(control_->loop(), [this] { machine_->stop(); }));
  patience_ =
      TRY(os::Timer::create(control_->loop(), [this] { not_stopping("the guest has not followed the power button"); }));
  again_ = TRY(os::Timer::create(control_->loop(), [this] {
    if (is_stopping()) press_button();
  }));
  return control_->loop().add(signals_.get(), EPOLLIN, [this](u32) { on_signal(); });
}

// The first signal presses the power button and starts the clock; the second pulls the plug.
void Vm::on_signal() {
  signalfd_siginfo info = {};
  if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
  if (std::exchange(stop_asked_, true)) {
    machine_->stop();
    return;
  }
  ask_to_stop();
  deadline_->arm(kGraceNs);
}

void Vm::ask_to_stop() {
  set_phase(VmPhase::kStopping, "");
  patience_->arm(kButtonNs);
  press_button();
}

void Vm::press_button() {
  machine_->power_button();
  again_->arm(kPressAgainNs);
}

bool Vm::is_stopping() {
  const std::lock_guard lock(state_mutex_);
  return state_.phase == VmPhase::kStopping;
}

// Any thread.
void Vm::not_stopping(const std::string& message) {
  if (is_stopping()) set_phase(VmPhase::kRunning, message);
}

std::string Vm::answer(const Request& request) {
  switch (request.command) {
    case Command::kStatus: break;
    case Command::kStats: return encode_stats_reply(stats());
    case Command::kReset: machine_->reset(); return encode_ok();
    case Command::kNmi: machine_->nmi(); return encode_ok();
    case Command::kKill: machine_->stop(); return encode_ok();
    case Command::kStop: ask_to_stop(); return encode_ok();
    case Command::kProfileStart: return start_profile();
    case Command::kProfileStop: return stop_profile();
    case Command::kDiskList:
    case Command::kDiskAttach:
    case Command::kDiskDetach:
    case Command::kDiskResize:
    case Command::kDiskSnapshot: return disks_->answer(request);
  }
  const std::lock_guard lock(state_mutex_);
  return encode_status_reply(state_);
}

std::string Vm::start_profile() {
  machine_->stop_profile();  // of somebody who has gone away
  const Result<> started = machine_->start_profile(kSamplePeriodNs);
  return started ? encode_ok() : encode_error(started.error());
}

std::string Vm::stop_profile() {
  const engine::Profile profile = machine_->stop_profile();
  if (profile.samples == 0) return encode_error(Error(ErrorCode::kNotFound, "no profile was begun"));
  const debug::SymbolTable symbols = debug::find_kernel_symbols(machine_->memory());
  const Result<> saved =
      os::replace_file(directory_.profile(), debug::encode_folded(debug::fold(profile, symbols)), 0600);
  return saved ? encode_ok() : encode_error(saved.error());
}

engine::Counters Vm::stats() const {
  engine::Counters counters = machine_->counters();
  counters.emplace_back("vmm.resident_bytes", resident_bytes());
  counters.emplace_back("guest.memory_bytes", config_.memory_bytes);
  counters.emplace_back("guest.cpu_count", config_.cpu_count);
  return counters;
}

void Vm::note_waiting_disks() {
  const std::lock_guard lock(state_mutex_);
  std::vector<std::string> waiting = disks_->waiting();
  if (waiting == state_.waiting_disks) return;
  state_.waiting_disks = std::move(waiting);
  save_state();
}

void Vm::set_phase(VmPhase phase, const std::string& message) {
  const std::lock_guard lock(state_mutex_);
  state_.phase = phase;
  state_.message = message;
  if (!is_alive(phase)) {
    state_.pid = 0;
    state_.waiting_disks.clear();
  }
  save_state();
}

void Vm::save_state() {
  const Result<> saved = directory_.save_state(state_);
  if (!saved) log::error("{}", saved.error().message());  // the lock still tells whether it runs
}

int Vm::run() {
  if (options_.gdb_wait) machine_->pause();
  const Result<> started = machine_->start();
  if (!started) {
    set_phase(VmPhase::kFailed, started.error().message());
    log::error("{}", started.error().message());
    return static_cast<int>(VmExit::kCannotStart);
  }
  if (gdb_) {
    gdb_->serve(*machine_);
    log::info("GDB may connect at {}{}", debug::gdb::to_string(*options_.gdb),
              options_.gdb_wait ? "; the guest waits for it" : "");
  }
  set_phase(VmPhase::kRunning, "");
  log::info("{} runs: {} CPUs, {} of memory", config_.name, config_.cpu_count, format_size(config_.memory_bytes));
  const machine::End end = machine_->wait().value_or(machine::End{});
  gdb_.reset();
  // Nobody may ask an ended machine; and its disks are closed, flushed, before the state says so.
  control_->loop().call([this] {
    server_.reset();
    disks_->stop();
    deadline_.reset();
    patience_.reset();
    again_.reset();
    control_->loop().remove(signals_.get());
    signals_.reset();
  });
  machine_.reset();
  control_->loop().call([] {});  // what it has posted is done
  if (end.reason == machine::EndReason::kExited) {
    const std::lock_guard lock(state_mutex_);
    state_.exit_code = end.code;
  }
  set_phase(phase_of(end.reason), end_message(end));
  log::info("{} ended: {} {}", config_.name, phase_name(phase_of(end.reason)), end_message(end));
  if (end.reason == machine::EndReason::kExited) return guest_exit_status(end.code);
  return static_cast<int>(exit_of(end.reason));
}

Result<int> run_vm(const VmDirectory& directory, const RunOptions& options) {
  const std::unique_ptr<Vm> vm = TRY(Vm::create(directory, options));
  return vm->run();
}

}  // namespace pileus::vmm
