#include "machine/machine.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "machine/board.h"
#include "machine/vcpu_threads.h"

namespace pileus::machine {

namespace {

// A supervisor thread does what was requested (end or reset), since neither a vCPU nor a caller can
// wait for vCPUs to stand still. Order of locks: life_, then mutex_.
class MachineImpl final : public Machine {
 public:
  ~MachineImpl() override {
    request_end({EndReason::kStopped, "", 0});
    if (supervisor_.joinable()) supervisor_.join();
  }

  Result<> init(MachineConfig config);
  Result<> start() override;
  void power_button() override { board_->power_button(); }
  void nmi() override { board_->nmi(); }
  void reset() override;
  void stop() override { request_end({EndReason::kStopped, "", 0}); }
  bool pause() override;
  void resume() override { resume_without({}); }
  void resume_without(std::vector<bool> held) override;
  const std::vector<engine::Vcpu*>& vcpus() const override { return board_->vcpus(); }
  std::optional<End> wait(std::optional<std::chrono::milliseconds> timeout) override;
  engine::Counters counters() const override;
  Result<> start_profile(u64 period_ns) override { return board_->engine().start_profile(period_ns); }
  engine::Profile stop_profile() override { return board_->engine().stop_profile(); }
  guest::GuestMemory& memory() override { return board_->memory(); }
  Result<> attach_disk(u32 place, Disk disk) override;
  Result<> ask_to_detach(u32 place) override;
  Result<> detach_disk(u32 place) override;
  Result<> with_disks(const std::vector<u32>& places, const std::function<Result<>()>& work) override;
  bool remind() override;

 private:
  void request_end(End end);
  void on_vcpu_end(u32 cpu, const engine::Exit& exit);
  void on_shutdown();
  void supervise();
  void do_reset();
  std::vector<u32> reset_standing();
  void do_eject();
  void tell_gone(const std::vector<u32>& places);
  // Under life_: runs `work` while all vCPUs stand still.
  void standing(const std::function<void()>& work);
  void finish();

  std::function<void()> on_reset_;  // may be empty
  std::function<void(u32, const engine::DebugStop&)> on_debug_stop_;  // may be empty
  std::function<void(u32)> on_disk_gone_;  // may be empty
  std::unique_ptr<Board> board_;
  std::unique_ptr<VcpuThreads> vcpus_;
  std::thread supervisor_;

  std::mutex life_;      // held while vCPUs are parked, resumed or ended
  bool paused_ = false;  // guarded by life_
  bool ended_ = false;   // guarded by life_

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable requested_;
  std::condition_variable finished_;
  std::optional<End> end_request_;  // the first one wins
  bool reset_request_ = false;
  bool eject_request_ = false;
  std::optional<End> end_;
  u64 resets_ = 0;
};

Result<> MachineImpl::init(MachineConfig config) {
  const PowerRequests power{
      .reset = [this] { reset(); },
      .power_off = [this] { request_end({EndReason::kPoweredOff, "", 0}); },
      .exit = [this](u32 code) { request_end({EndReason::kExited, "", code}); },
  };
  on_reset_ = std::move(config.on_reset);
  on_debug_stop_ = std::move(config.on_debug_stop);
  on_disk_gone_ = std::move(config.on_disk_gone);
  const auto on_eject = [this] {
    {
      const std::scoped_lock lock(mutex_);
      eject_request_ = true;
    }
    requested_.notify_all();
  };
  board_ = TRY(Board::create(std::move(config), power, on_eject));
  TRY(board_->reset_and_load());
  vcpus_ = std::make_unique<VcpuThreads>(board_->vcpus(),
                                         [this](u32 cpu, const engine::Exit& exit) { on_vcpu_end(cpu, exit); });
  return {};
}

Result<> MachineImpl::start() {
  const std::scoped_lock lock(life_);
  if (supervisor_.joinable()) return Error(ErrorCode::kInvalid, "the machine was started before");
  vcpus_->start();
  if (!paused_) vcpus_->resume();
  supervisor_ = std::thread([this] { supervise(); });
  return {};
}

void MachineImpl::request_end(End end) {
  {
    const std::scoped_lock lock(mutex_);
    if (!end_request_) end_request_ = std::move(end);
  }
  requested_.notify_all();
}

void MachineImpl::reset() {
  {
    const std::scoped_lock lock(mutex_);
    reset_request_ = true;
  }
  requested_.notify_all();
}

void MachineImpl::on_vcpu_end(u32 cpu, const engine::Exit& exit) {
  switch (exit.reason) {
    case engine::ExitReason::kKicked: break;
    case engine::ExitReason::kShutdown: on_shutdown(); break;
    case engine::ExitReason::kError: request_end({EndReason::kError, exit.message, 0}); break;
    case engine::ExitReason::kDebug:
      if (on_debug_stop_) on_debug_stop_(cpu, exit.debug);
      break;
  }
}

// A guest that has asked for a reset executes some more instructions until it stands still, and some, SeaBIOS among them, let
// a triple fault follow for machines on which the first way fails.
void MachineImpl::on_shutdown() {
  {
    const std::scoped_lock lock(mutex_);
    if (reset_request_) return;
  }
  request_end({EndReason::kCrashed, "the guest triple-faulted", 0});
}

void MachineImpl::supervise() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      requested_.wait(lock, [this] { return end_request_ || reset_request_ || eject_request_; });
      if (end_request_) break;
      if (!reset_request_) {
        lock.unlock();
        do_eject();
        continue;
      }
    }
    do_reset();
  }
  finish();
}

void MachineImpl::standing(const std::function<void()>& work) {
  const bool running = supervisor_.joinable() && !paused_;
  if (running) vcpus_->park();
  work();
  if (running) vcpus_->resume();
}

void MachineImpl::tell_gone(const std::vector<u32>& places) {
  if (!on_disk_gone_) return;
  for (const u32 place : places) on_disk_gone_(place);
}

// What the guest let go of.
void MachineImpl::do_eject() {
  std::vector<u32> gone;
  {
    const std::scoped_lock lock(life_);
    {
      const std::scoped_lock request_lock(mutex_);
      eject_request_ = false;
    }
    standing([&] { gone = board_->take_out(false); });
  }
  tell_gone(gone);
}

Result<> MachineImpl::attach_disk(u32 place, Disk disk) {
  const std::scoped_lock lock(life_);
  if (ended_) return Error(ErrorCode::kNotFound, "the machine has ended");
  return board_->attach_disk(place, std::move(disk));
}

Result<> MachineImpl::ask_to_detach(u32 place) {
  const std::scoped_lock lock(life_);
  if (ended_) return Error(ErrorCode::kNotFound, "the machine has ended");
  return board_->ask_to_detach(place);
}

Result<> MachineImpl::detach_disk(u32 place) {
  const std::scoped_lock lock(life_);
  Result<> done;
  standing([&] { done = board_->detach_disk(place); });
  return done;
}

Result<> MachineImpl::with_disks(const std::vector<u32>& places, const std::function<Result<>()>& work) {
  const std::scoped_lock lock(life_);
  std::vector<virtio::GuestDisk*> devices;
  for (const u32 place : places) {
    virtio::GuestDisk* const device = board_->disk_at(place);
    if (device == nullptr) return Error(ErrorCode::kNotFound, "there is no disk in that place");
    devices.push_back(device);
  }
  Result<> done;
  board_->io().loop().call([&] {
    done = work();
    for (virtio::GuestDisk* const device : devices) device->resized();
  });
  return done;
}

bool MachineImpl::remind() {
  const std::scoped_lock lock(life_);
  return !ended_ && board_->remind();
}

void MachineImpl::do_reset() {
  const std::vector<u32> gone = reset_standing();
  tell_gone(gone);
}

// Gives the disks that the guest was asked for, and which it now does not find any more.
std::vector<u32> MachineImpl::reset_standing() {
  const std::scoped_lock lock(life_);
  vcpus_->park();
  {
    // What the guest requested before it stood still is this reset; what comes later is another
    // one.
    const std::scoped_lock request_lock(mutex_);
    reset_request_ = false;
    ++resets_;
    if (end_request_) return {};
  }
  std::vector<u32> gone = board_->take_out(true);
  const Result<> loaded = board_->reset_and_load();
  if (!loaded) {
    request_end({EndReason::kError, "cannot boot again: " + loaded.error().message(), 0});
    return gone;
  }
  log::info("the guest was reset");
  if (on_reset_) on_reset_();
  if (!paused_) vcpus_->resume();
  return gone;
}

void MachineImpl::finish() {
  {
    const std::scoped_lock lock(life_);
    vcpus_->join();
    ended_ = true;
  }
  const std::scoped_lock lock(mutex_);
  end_ = end_request_;
  finished_.notify_all();
}

bool MachineImpl::pause() {
  const std::scoped_lock lock(life_);
  if (ended_) return false;
  vcpus_->park();
  paused_ = true;
  return true;
}

void MachineImpl::resume_without(std::vector<bool> held) {
  const std::scoped_lock lock(life_);
  if (ended_ || !paused_) return;
  paused_ = false;
  vcpus_->hold(std::move(held));
  vcpus_->resume();
}

std::optional<End> MachineImpl::wait(std::optional<std::chrono::milliseconds> timeout) {
  std::unique_lock lock(mutex_);
  const auto done = [this] { return end_.has_value(); };
  if (!timeout) {
    finished_.wait(lock, done);
  } else {
    finished_.wait_for(lock, *timeout, done);
  }
  return end_;
}

engine::Counters MachineImpl::counters() const {
  engine::Counters counters = board_->engine().counters();
  counters.emplace_back("unclaimed_accesses", board_->unclaimed_accesses());
  const std::scoped_lock lock(mutex_);
  counters.emplace_back("resets", resets_);
  return counters;
}

}  // namespace

Result<std::unique_ptr<Machine>> Machine::create(MachineConfig config) {
  auto machine = std::make_unique<MachineImpl>();
  TRY(machine->init(std::move(config)));
  return std::unique_ptr<Machine>(std::move(machine));
}

}  // namespace pileus::machine
