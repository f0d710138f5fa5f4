#include "machine/board.h"

#include <sys/random.h>

#include <array>

#include "machine/acpi/tables.h"
#include "machine/diskboot/boot_entry.h"
#include "machine/layout.h"
#include "machine/loader/cpu_setup.h"
#include "machine/loader/linux_boot.h"
#include "machine/loader/multiboot.h"
#include "virtio/console.h"
#include "virtio/rng.h"
#include "virtio/scsi.h"

namespace pileus::machine {

namespace {

// Where things sit on the PCI bus. The network card comes first, so that its name in the guest does
// not depend on how many disks there are.
constexpr unsigned kNetSlot = 1, kRngSlot = 2, kFirstDiskSlot = 3;
// What SeaBIOS reads of the boot order out of the clock's memory: try disks, then CDs.
constexpr u8 kCmosBootOrder = 0x3D, kCmosFromDiskThenCd = 0x32;
constexpr unsigned kConsoleSlot = kFirstDiskSlot + kDiskPlaces, kCdSlot = kConsoleSlot + 1, kSataSlot = kCdSlot + 1;

Result<> check_config(const MachineConfig& config) {
  const auto invalid = [](const std::string& text) { return Error(ErrorCode::kInvalid, text); };
  if (!config.make_engine) return invalid("the machine has no engine");
  if (config.memory_bytes < kMinMemory || config.memory_bytes > kMaxMemory || config.memory_bytes % 4096 != 0) {
    return invalid("memory must be 32 MiB to 252 GiB and a multiple of 4 KiB");
  }
  if (config.cpu_count < 1 || config.cpu_count > kMaxCpus) return invalid("the number of CPUs must be 1 to 254");
  if (!config.disks.empty() && config.disks.rbegin()->first >= kDiskPlaces) {
    return invalid("a machine takes at most " + std::to_string(kDiskPlaces) + " disks");
  }
  if (std::holds_alternative<FirmwareBoot>(config.boot) && !config.legacy_devices) {
    return invalid("firmware needs legacy devices");
  }
  if (!std::holds_alternative<KernelBoot>(config.boot) && !config.disks.contains(0)) {
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

Result<std::unique_ptr<Board>> Board::create(MachineConfig config, const PowerRequests& power,
                                             std::function<void()> on_eject) {
  TRY(check_config(config));
  guest::GuestMemory memory = TRY(guest::GuestMemory::create(config.memory_bytes, kRamHole));
  if (config.io == nullptr) config.io = TRY(virtio::IoThread::start("vm-io"));
  std::unique_ptr<Board> board(new Board(std::move(config), std::move(memory), power, std::move(on_eject)));
  if (board->config_.legacy_devices) TRY(board->make_legacy_devices(power));
  TRY(board->wire_buses());
  TRY(board->make_engine());
  TRY(board->make_sata());
  TRY(board->make_virtio());
  TRY(board->make_bios());
  return board;
}

Board::Board(MachineConfig config, guest::GuestMemory memory, const PowerRequests& power,
             std::function<void()> on_eject)
    : config_(std::move(config)),
      memory_(std::move(memory)),
      power_(power),
      i8042_(power.reset),
      exit_(power.exit),
      on_eject_(std::move(on_eject)),
      slots_([this](u32 slots) { this->on_eject(slots); }),
      serial_(config_.serial.get(), isa_.line(kGsiSerial)),
      pci_(power.reset) {}

// Engine and legacy devices know each other, so one of them has to fall silent before the other goes.
Board::~Board() {
  if (legacy_) legacy_->stop();
}

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
  TRY(ports_.add(kPortSlots, SlotPorts::kPorts, &slots_));
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
  functions_[slot] = std::move(function);
  pci_.attach(slot, *functions_[slot]);
  return {};
}

virtio::OnRoom Board::on_room(u32 place) const {
  if (!config_.on_disk_room) return {};
  return [tell = config_.on_disk_room, place](const std::string& why) { tell(place, why); };
}

Result<> Board::plug_disk(u32 place, Disk disk) {
  if (sata_) {
    return sata_->attach_disk(place,
                              std::make_unique<ahci::Disk>(std::move(disk.backend), disk.serial, on_room(place)));
  }
  return add_virtio(kFirstDiskSlot + place,
                    std::make_unique<virtio::Blk>(std::move(disk.backend), disk.serial, on_room(place)));
}

Result<> Board::make_sata() {
  if (config_.disk_bus != DiskBus::kSata) return {};
  const ahci::Adapter::Wiring wiring{memory_, mmio_, *engine_, &isa_.line(kGsiSata), *config_.io};
  sata_.emplace(TRY(Sata::create(wiring, config_.disks, config_.cd != nullptr)));
  if (config_.cd) sata_->attach_cd(std::move(config_.cd));
  pci_.attach(kSataSlot, sata_->adapter());
  return {};
}

Result<> Board::make_virtio() {
  if (config_.net)
    TRY(add_virtio(kNetSlot, std::make_unique<virtio::Net>(std::move(config_.net), config_.mac, config_.mtu)));
  TRY(add_virtio(kRngSlot, std::make_unique<virtio::Rng>()));
  for (auto& [place, disk] : config_.disks) TRY(plug_disk(place, std::move(disk)));
  if (config_.console) {
    TRY(add_virtio(kConsoleSlot, std::make_unique<virtio::Console>(*config_.console, config_.io->loop())));
  }
  if (config_.cd) TRY(add_virtio(kCdSlot, std::make_unique<virtio::Scsi>(std::move(config_.cd))));
  return {};
}

// Disks in the order of their places, then the CD drive.
std::vector<std::string> Board::boot_order() const {
  std::vector<std::string> order;
  for (const auto& [place, disk] : config_.disks)
    order.push_back(sata_ ? sata_path(kSataSlot, place) : virtio_disk_path(kFirstDiskSlot + place));
  if (sata_ && sata_->has_cd()) order.push_back(sata_path(kSataSlot, sata_->cd_port()));
  if (functions_[kCdSlot]) order.push_back(virtio_cd_path(kCdSlot));
  return order;
}

Result<> Board::make_bios() {
  auto* const boot = std::get_if<FirmwareBoot>(&config_.boot);
  if (boot == nullptr) return {};
  const BiosBoard board{config_.cpu_count, boot_order(), smbios_board()};
  bios_ = TRY(Bios::create(std::move(boot->image), memory_, board));
  pci_.pose_as_qemu();
  cmos_.set_memory(kCmosBootOrder, kCmosFromDiskThenCd);
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
  BlockReader reader(disk_at(0)->backend());
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
  for (const auto& function : functions_) {
    if (function) function->reset();
  }
  if (sata_) sata_->adapter().reset();
  pci_.reset();
  slots_.reset();
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
  if (!huge_pages_) huge_pages_.emplace(memory_);
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

void Board::ring_slots() {
  guest::InterruptLine& line = ioapic_.line(kGsiSlots);
  line.set(true);
  line.set(false);
}

Result<> Board::attach_disk(u32 place, Disk disk) {
  if (place >= kDiskPlaces) return Error(ErrorCode::kInvalid, "a machine has no such place for a disk");
  const unsigned slot = kFirstDiskSlot + place;
  if (functions_[slot]) return Error(ErrorCode::kExists, "there is a disk in that place already");
  TRY(plug_disk(place, std::move(disk)));
  if (sata_) return {};
  slots_.came(slot);
  ring_slots();
  return {};
}

virtio::GuestDisk* Board::disk_at(u32 place) {
  if (sata_) return sata_->disk_at(place);
  if (place >= kDiskPlaces || !functions_[kFirstDiskSlot + place]) return nullptr;
  return static_cast<virtio::Blk*>(&functions_[kFirstDiskSlot + place]->device());
}

Result<> Board::ask_to_detach(u32 place) {
  if (disk_at(place) == nullptr) return Error(ErrorCode::kNotFound, "there is no disk in that place");
  if (sata_) {
    return Error(ErrorCode::kUnsupported,
                 "a guest cannot be asked to let go of a SATA disk: unmount it there, then detach it with --force");
  }
  asked_.fetch_or(u32{1} << (kFirstDiskSlot + place));
  slots_.ask_to_leave(kFirstDiskSlot + place);
  ring_slots();
  return {};
}

// A guest may only let go of what it was asked for: the disk it boots from is not its to remove.
void Board::on_eject(u32 slots) {
  slots &= asked_.load();
  if (slots == 0) return;
  for (unsigned slot = 0; slot < PciBus::kDevices; ++slot) {
    if ((slots >> slot & 1) != 0) pci_.detach(slot);
  }
  ejected_.fetch_or(slots);
  on_eject_();
}

void Board::remove_function(unsigned slot) {
  pci_.detach(slot);
  functions_[slot].reset();
  asked_.fetch_and(~(u32{1} << slot));
  ejected_.fetch_and(~(u32{1} << slot));
}

std::vector<u32> Board::take_out(bool all) {
  const u32 leaving = all ? asked_.load() : ejected_.load();
  std::vector<u32> places;
  for (u32 place = 0; place < kDiskPlaces; ++place) {
    if ((leaving >> (kFirstDiskSlot + place) & 1) == 0) continue;
    remove_function(kFirstDiskSlot + place);
    places.push_back(place);
  }
  return places;
}

Result<> Board::detach_disk(u32 place) {
  if (sata_) return sata_->detach_disk(place);
  if (disk_at(place) == nullptr) return Error(ErrorCode::kNotFound, "there is no disk in that place");
  remove_function(kFirstDiskSlot + place);
  return {};
}

bool Board::remind() {
  if (!slots_.has_news()) return false;
  ring_slots();
  return true;
}

}  // namespace pileus::machine
