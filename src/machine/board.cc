#include "machine/board.h"

#include <sys/random.h>

#include <array>

#include "machine/acpi/tables.h"
#include "machine/diskboot/boot_entry.h"
#include "machine/layout.h"
#include "machine/loader/cpu_setup.h"
#include "machine/loader/linux_boot.h"
#include "machine/loader/multiboot.h"
#include "virtio/blk.h"
#include "virtio/console.h"
#include "virtio/rng.h"

namespace pileus::machine {

namespace {

// Where things sit on the PCI bus. The network card comes first, so that its name in the guest does
// not depend on how many disks there are.
constexpr unsigned kNetSlot = 1, kRngSlot = 2, kFirstDiskSlot = 3;
constexpr u64 kMaxDisks = 16;
// What SeaBIOS reads of the boot order out of the clock's memory: try disks.
constexpr u8 kCmosBootOrder = 0x3D, kCmosFromDisk = 2;
constexpr unsigned kConsoleSlot = kFirstDiskSlot + kMaxDisks;

Result<> check_config(const MachineConfig& config) {
  const auto invalid = [](const std::string& text) { return Error(ErrorCode::kInvalid, text); };
  if (!config.make_engine) return invalid("the machine has no engine");
  if (config.memory_bytes < kMinMemory || config.memory_bytes > kMaxMemory || config.memory_bytes % 4096 != 0) {
    return invalid("memory must be 32 MiB to 252 GiB and a multiple of 4 KiB");
  }
  if (config.cpu_count < 1 || config.cpu_count > kMaxCpus) return invalid("the number of CPUs must be 1 to 254");
  if (config.disks.size() > kMaxDisks) return invalid("a machine takes at most 16 disks");
  if (std::holds_alternative<FirmwareBoot>(config.boot) && !config.legacy_devices) {
    return invalid("firmware needs legacy devices");
  }
  if (!std::holds_alternative<KernelBoot>(config.boot) && config.disks.empty()) {
    return invalid("there is nothing to boot: give a kernel or a disk");
  }
  return {};
}

class BlockReader : public DiskReader {
 public:
  explicit BlockReader(virtio::BlockBackend& disk) : disk_(disk) {}
  Result<> read(u64 offset, std::span<u8> out) override { return disk_.read(offset, out); }
  u64 size() const override { return disk_.size(); }

 private:
  virtio::BlockBackend& disk_;
};

// Nothing when the host has none to give at once: the guest then gathers its own.
std::vector<u8> random_seed() {
  std::vector<u8> seed(32);
  if (::getrandom(seed.data(), seed.size(), GRND_NONBLOCK) != static_cast<ssize_t>(seed.size())) seed.clear();
  return seed;
}

std::string join(const std::string& a, const std::string& b) { return a.empty() || b.empty() ? a + b : a + " " + b; }

}  // namespace

Result<std::unique_ptr<Board>> Board::create(MachineConfig config, const PowerRequests& power) {
  TRY(check_config(config));
  guest::GuestMemory memory = TRY(guest::GuestMemory::create(config.memory_bytes, kRamHole));
  if (config.io == nullptr) config.io = TRY(virtio::IoThread::start("vm-io"));
  std::unique_ptr<Board> board(new Board(std::move(config), std::move(memory), power));
  if (board->config_.legacy_devices) TRY(board->make_legacy_devices(power));
  TRY(board->wire_buses());
  TRY(board->make_engine());
  TRY(board->make_virtio());
  TRY(board->make_bios());
  return board;
}

Board::Board(MachineConfig config, guest::GuestMemory memory, const PowerRequests& power)
    : config_(std::move(config)),
      memory_(std::move(memory)),
      power_(power),
      i8042_(power.reset),
      exit_(power.exit),
      serial_(config_.serial.get(), isa_.line(kGsiSerial)) {}

Result<> Board::make_legacy_devices(const PowerRequests& power) {
  legacy_ = TRY(LegacyDevices::create(config_.io->loop(), isa_, cmos_, power));
  return legacy_->add_to(ports_);
}

Result<> Board::wire_buses() {
  TRY(mmio_.add(kIoapic, kIoapicSize, &ioapic_));
  TRY(mmio_.add(kEcam, kEcamSize, &pci_.ecam()));
  TRY(ports_.add(kPortI8042Data, 1, &post_));
  TRY(ports_.add(kPortI8042Command, 1, &i8042_));
  TRY(ports_.add(kPortCmos, Cmos::kPorts, &cmos_));
  TRY(ports_.add(kPortPost, 1, &post_));
  TRY(ports_.add(kPortSerial, Serial::kPorts, &serial_));
  TRY(ports_.add(kPortPower, PowerPorts::kPorts, &power_));
  if (config_.exit_port) TRY(ports_.add(kPortExit, ExitPort::kPorts, &exit_));
  TRY(ports_.add(kPortPciAddress, 8, &pci_.ports()));
  return {};
}

Result<> Board::make_engine() {
  engine::Config engine;
  engine.memory = &memory_;
  engine.mmio = &mmio_;
  engine.ports = &ports_;
  engine.eoi = &ioapic_;
  if (legacy_) engine.ext_int = &legacy_->pic();
  engine.cpu_count = config_.cpu_count;
  engine.paravirt = config_.paravirt;
  engine.cpu_model = config_.cpu_model;
  engine.direct = config_.direct;
  engine_ = TRY(config_.make_engine(engine));
  ioapic_.set_sink(engine_.get());
  for (u32 id = 0; id < config_.cpu_count; ++id) {
    engine::Vcpu* const vcpu = TRY(engine_->create_vcpu(id));
    vcpus_.push_back(vcpu);
  }
  if (!legacy_) return {};
  guest::InterruptLine* const line = engine_->ext_int_line();
  if (line == nullptr) {
    return Error(ErrorCode::kUnsupported, std::string("the ") + engine_->name() +
                                              " engine has no legacy devices: use --engine bt, or leave them out");
  }
  legacy_->pic().set_output(line);
  return {};
}

Result<> Board::add_virtio(unsigned slot, std::unique_ptr<virtio::Device> device) {
  auto function = TRY(virtio::VirtioPci::create(std::move(device), memory_, mmio_, *engine_, *config_.io));
  functions_.push_back(std::move(function));
  pci_.attach(slot, *functions_.back());
  return {};
}

Result<> Board::make_virtio() {
  if (config_.net)
    TRY(add_virtio(kNetSlot, std::make_unique<virtio::Net>(std::move(config_.net), config_.mac, config_.mtu)));
  TRY(add_virtio(kRngSlot, std::make_unique<virtio::Rng>()));
  unsigned index = 0;
  for (auto& disk : config_.disks) {
    if (index == 0) boot_disk_ = disk.get();
    TRY(add_virtio(kFirstDiskSlot + index,
                   std::make_unique<virtio::Blk>(std::move(disk), "disk" + std::to_string(index))));
    ++index;
  }
  disk_count_ = index;
  if (config_.console) {
    TRY(add_virtio(kConsoleSlot, std::make_unique<virtio::Console>(*config_.console, config_.io->loop())));
  }
  return {};
}

Result<> Board::make_bios() {
  auto* const boot = std::get_if<FirmwareBoot>(&config_.boot);
  if (boot == nullptr) return {};
  BiosBoard board{.cpu_count = config_.cpu_count, .disk_slots = {}, .smbios = smbios_board()};
  for (unsigned slot = kFirstDiskSlot; slot < kFirstDiskSlot + disk_count_; ++slot) board.disk_slots.push_back(slot);
  bios_ = TRY(Bios::create(std::move(boot->image), memory_, board));
  pci_.pose_as_qemu();
  cmos_.set_memory(kCmosBootOrder, kCmosFromDisk);
  return bios_->add_to(mmio_, ports_);
}

Result<> Board::load_acpi() {
  const std::vector<u8> tables = build_acpi_tables(kAcpiTables, {config_.cpu_count, legacy_ != nullptr});
  CHECK(tables.size() <= kAcpiTablesEnd - kAcpiTables);
  CHECK(memory_.write(kAcpiTables, tables));
  return {};
}

SmbiosBoard Board::smbios_board() const {
  SmbiosBoard board{.identity = config_.identity, .cpu_count = config_.cpu_count, .ram = {}};
  for (const auto& region : memory_.regions()) board.ram.push_back({region.base, region.base + region.size});
  return board;
}

void Board::load_smbios() {
  const SmbiosTables tables = build_smbios(kSmbiosStructures, smbios_board());
  CHECK(tables.structures.size() <= kSmbiosEnd - kSmbiosStructures);
  CHECK(memory_.write(kSmbios, tables.entry_point) && memory_.write(kSmbiosStructures, tables.structures));
}

// A guest that knows no better jumps in real mode to where a PC's firmware starts: Linux does when it finds that this
// board has neither EFI nor the fixed ACPI hardware.
void Board::load_reset_code() {
  constexpr u8 kPulseReset = 0xFE;
  const std::array<u8, 7> code{0xB0, kPulseReset, 0xE6, kPortI8042Command,  // mov al, 0xFE; out 0x64, al
                               0xF4, 0xEB,        0xFD};                            // again: hlt; jmp again
  CHECK(memory_.write(kResetVector, code));
}

Result<engine::CpuState> Board::load_guest() {
  const std::vector<u8> seed = random_seed();
  if (const auto* given = std::get_if<KernelBoot>(&config_.boot)) {
    if (looks_like_multiboot(given->kernel)) {
      return load_multiboot(memory_, {given->kernel, given->command_line, given->modules});
    }
    if (!given->modules.empty()) {
      return Error(ErrorCode::kInvalid,
                   "modules are for Multiboot kernels, and this one has no such header: give it an initrd");
    }
    return load_linux(memory_, {given->kernel, given->initrd, given->command_line, kAcpiTables, seed});
  }
  BlockReader reader(*boot_disk_);
  const BootEntry entry = TRY(find_boot_entry(reader).with("boot disk"));
  const std::string command_line = join(entry.command_line, std::get<DiskBoot>(config_.boot).append);
  return load_linux(memory_, {entry.kernel, entry.initrd, command_line, kAcpiTables, seed});
}

Result<engine::CpuState> Board::load_boot_cpu() {
  if (bios_) return bios_->load();
  TRY(load_acpi());
  load_smbios();
  load_reset_code();
  return load_guest();
}

Result<> Board::reset_and_load() {
  for (const auto& function : functions_) function->reset();
  pci_.reset();
  serial_.reset();
  ioapic_.reset();
  cmos_.reset();
  if (legacy_) legacy_->reset();
  engine::CpuState boot_cpu = TRY(load_boot_cpu());
  if (legacy_ && !bios_) wire_lapic_through(boot_cpu.lapic);
  for (u32 id = 0; id < vcpus_.size(); ++id) {
    engine::CpuState state = id == 0 ? boot_cpu : reset_state(id);
    if (config_.paravirt) reset_paravirt(state);
    TRY(vcpus_[id]->set_state(state).with("CPU " + std::to_string(id)));
  }
  return {};
}

// A rise is what the edge-triggered pin waits for.
void Board::nmi() {
  constexpr u64 kFirstProcessor = 0xFEE00000;
  constexpr u32 kDeliverNmi = 4U << 8;
  engine_->signal_msi(kFirstProcessor, kDeliverNmi);
}

void Board::power_button() {
  guest::InterruptLine& line = ioapic_.line(kGsiPowerButton);
  line.set(true);
  line.set(false);
}

}  // namespace pileus::machine
