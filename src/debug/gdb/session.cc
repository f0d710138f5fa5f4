#include "debug/gdb/session.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>

#include "debug/gdb/registers.h"
#include "debug/guest_virtual.h"

namespace pileus::debug::gdb {

namespace {

using engine::Breakpoint;
using engine::CpuState;

constexpr std::size_t kMaxBreakpoints = 1024;
constexpr u64 kMaxWatched = 1 * kMiB;
constexpr u64 kMaxMemory = kMaxPacket / 2 - 16;  // bytes of guest memory in one packet
constexpr const char* kDone = "OK";
constexpr const char* kMalformed = "E16";   // numbers as in errno.h: EINVAL
constexpr const char* kNotMapped = "E0e";   // EFAULT
constexpr const char* kNoThread = "E03";    // ESRCH
constexpr const char* kFull = "E1c";        // ENOSPC
constexpr const char* kRefused = "E01";     // EPERM
constexpr const char *kSigint = "T02", *kSigtrap = "T05";

std::string hex(u64 value) {
  char text[17];
  const auto [end, error] = std::to_chars(text, std::end(text), value, 16);
  return {text, end};
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// What is before the separator; `text` keeps what is behind it.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return part;
}

// "ADDRESS,LENGTH"
struct Range {
  u64 address, length;
};
std::optional<Range> parse_range(std::string_view text) {
  const auto address = parse_hex(take_until(text, ','));
  const auto length = parse_hex(text);
  if (!address || !length) return {};
  return Range{*address, *length};
}

std::optional<Breakpoint> breakpoint_of(char kind, const Range& range) {
  switch (kind) {
    case '0':
    case '1': return Breakpoint{Breakpoint::Kind::kExecute, range.address, 1};
    case '2': return Breakpoint{Breakpoint::Kind::kWrite, range.address, range.length};
    case '3': return Breakpoint{Breakpoint::Kind::kRead, range.address, range.length};
    case '4': return Breakpoint{Breakpoint::Kind::kAccess, range.address, range.length};
    default: return {};
  }
}

std::span<const u8> bytes_of(std::string_view text) { return {reinterpret_cast<const u8*>(text.data()), text.size()}; }

std::string thread_of(u32 cpu) { return hex(u64{cpu} + 1); }

}  // namespace

Session::Session(Target& target, Send send) : target_(target), send_(std::move(send)) {
  target_.pause();
  last_stop_ = std::string(kSigtrap) + "thread:" + thread_of(0) + ";";
}

Session::~Session() {
  if (!over_ && !ended_) detach();
}

bool Session::receive(std::string_view bytes) {
  // In parts, so that what is complete is taken before there is too much.
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, kMaxPacket);
    bytes.remove_prefix(part.size());
    if (!reader_.append(part)) return false;
    while (!over_) {
      const std::optional<Received> received = reader_.next();
      if (!received) break;
      switch (received->kind) {
        case Received::Kind::kInterrupt: interrupt(); break;
        case Received::Kind::kBroken:
          if (acknowledge_) send_("-");
          break;
        case Received::Kind::kNack: send_(last_sent_); break;
        case Received::Kind::kPacket:
          if (acknowledge_) send_("+");
          handle(received->text);
          break;
      }
    }
  }
  return !over_;
}

void Session::reply(std::string_view payload) {
  last_sent_ = encode_packet(payload);
  send_(last_sent_);
}

void Session::report(const std::string& stop) {
  running_ = false;
  last_stop_ = stop;
  reply(stop);
}

void Session::interrupt() {
  if (!running_) return;
  target_.pause();
  general_ = stepping_;
  report(std::string(kSigint) + "thread:" + thread_of(general_) + ";");
}

void Session::on_stop(u32 cpu, const engine::DebugStop& stop) {
  const bool watched =
      stop.cause == engine::DebugStop::Cause::kBreakpoint && stop.breakpoint.kind != Breakpoint::Kind::kExecute;
  if (!running_) {
    // It stopped when another one already had. It stands before its breakpoint, and will stop there again; what it did
    // to memory would be lost.
    if (watched) pending_.push_back({cpu, stop});
    return;
  }
  target_.pause();
  general_ = stepping_ = cpu;
  report(describe({cpu, stop}));
}

std::string Session::describe(const Stop& stop) const {
  std::string text = std::string(kSigtrap) + "thread:" + thread_of(stop.cpu) + ";";
  if (stop.stop.cause == engine::DebugStop::Cause::kStep) return text;
  const Breakpoint& hit = stop.stop.breakpoint;
  switch (hit.kind) {
    case Breakpoint::Kind::kExecute: {
      const bool hardware =
          std::ranges::any_of(inserted_, [&](const Inserted& one) { return one.kind == '1' && one.breakpoint == hit; });
      return text + (hardware ? "hwbreak:;" : "swbreak:;");
    }
    case Breakpoint::Kind::kWrite: return text + "watch:" + hex(hit.address) + ";";
    case Breakpoint::Kind::kRead: return text + "rwatch:" + hex(hit.address) + ";";
    case Breakpoint::Kind::kAccess: return text + "awatch:" + hex(hit.address) + ";";
  }
  return text;
}

void Session::on_end() {
  ended_ = true;
  if (running_) reply("W00");
  over_ = true;
}

void Session::handle(const std::string& packet) {
  if (packet.empty()) return reply("");
  const std::string_view rest = std::string_view(packet).substr(1);
  std::string answer;
  switch (packet[0]) {
    case '?': answer = last_stop_; break;
    case 'q':
    case 'Q': answer = query(packet); break;
    case 'H': answer = select(rest); break;
    case 'T': {
      u32 cpu = 0;
      answer = choose(rest, &cpu) ? kDone : kNoThread;
      break;
    }
    case 'g': answer = read_registers(); break;
    case 'G': answer = write_registers(rest); break;
    case 'p': answer = read_register(rest); break;
    case 'P': answer = write_register(rest); break;
    case 'm': answer = read_memory(rest); break;
    case 'M': answer = write_memory(rest, false); break;
    case 'X': answer = write_memory(rest, true); break;
    case 'Z': answer = change_breakpoint(rest, true); break;
    case 'z': answer = change_breakpoint(rest, false); break;
    case 'v': answer = v_packet(rest); break;
    case 'c': answer = resume("c"); break;
    case 's': answer = resume("s:" + thread_of(stepping_)); break;
    case 'D':
      answer = detach();
      over_ = answer == kDone;
      break;
    case 'k':  // no reply
      over_ = true;
      target_.kill();
      return;
    default: break;  // an empty reply: not known here
  }
  // What the guest goes on with is answered when it stops.
  if (running_ && answer.empty()) return;
  reply(answer);
}

bool Session::choose(std::string_view id, u32* cpu) const {
  if (id == "-1" || id == "0") {  // all, any
    *cpu = stepping_;
    return true;
  }
  const auto number = parse_hex(id);
  if (!number || *number == 0 || *number > target_.cpu_count()) return false;
  *cpu = static_cast<u32>(*number - 1);
  return true;
}

std::string Session::select(std::string_view arguments) {
  u32 cpu = 0;
  if (arguments.empty()) return kMalformed;
  if (!choose(arguments.substr(1), &cpu)) return kNoThread;
  (arguments[0] == 'g' ? general_ : stepping_) = cpu;
  return kDone;
}

std::string Session::query(const std::string& packet) {
  std::string_view text = packet;
  if (take_prefix(text, "qSupported")) {
    return "PacketSize=" + hex(kMaxPacket) + ";qXfer:features:read+;QStartNoAckMode+;vContSupported+;swbreak+;hwbreak+";
  }
  if (take_prefix(text, "qXfer:features:read:target.xml:")) return transfer(text);
  if (text == "QStartNoAckMode") {
    acknowledge_ = false;
    return kDone;
  }
  if (text == "qC") return "QC" + thread_of(general_);
  if (text == "qAttached") return "1";
  if (text == "qfThreadInfo") {
    std::string list = "m";
    for (u32 cpu = 0; cpu < target_.cpu_count(); ++cpu) list += (cpu == 0 ? "" : ",") + thread_of(cpu);
    return list;
  }
  if (text == "qsThreadInfo") return "l";
  if (take_prefix(text, "qThreadExtraInfo,")) {
    u32 cpu = 0;
    if (!choose(text, &cpu)) return kNoThread;
    std::string name = "CPU " + std::to_string(cpu);
    switch (target_.state(cpu).run_state) {
      case engine::RunState::kRunning: name += " [running]"; break;
      case engine::RunState::kHalted: name += " [halted]"; break;
      case engine::RunState::kWaitForSipi: name += " [not started]"; break;
      case engine::RunState::kShutdown: name += " [shut down]"; break;
    }
    return to_hex(bytes_of(name));
  }
  return "";
}

// "OFFSET,LENGTH" of target.xml: 'm' for more to come, 'l' for the last part.
std::string Session::transfer(std::string_view arguments) const {
  const auto range = parse_range(arguments);
  if (!range) return kMalformed;
  const std::string& text = target_description();
  if (range->address >= text.size()) return "l";
  const std::string part = text.substr(range->address, std::min<u64>(range->length, kMaxPacket / 2));
  return (range->address + part.size() < text.size() ? "m" : "l") + part;
}

std::string Session::read_registers() const {
  const CpuState state = target_.state(general_);
  std::string text;
  std::vector<u8> value;
  for (const Register& reg : registers()) {
    value.resize(reg.bytes);
    reg.get(state, value);
    text += to_hex(value);
  }
  return text;
}

std::string Session::write_registers(std::string_view text) {
  const auto bytes = from_hex(text);
  if (!bytes) return kMalformed;
  CpuState state = target_.state(general_);
  state.tsc = 0;  // time goes on
  std::size_t at = 0;
  for (const Register& reg : registers()) {
    if (at + reg.bytes > bytes->size()) return kMalformed;
    if (reg.set) reg.set(state, std::span(*bytes).subspan(at, reg.bytes));
    at += reg.bytes;
  }
  return target_.set_state(general_, state) ? kDone : kRefused;
}

std::string Session::read_register(std::string_view text) const {
  const auto number = parse_hex(text);
  if (!number || *number >= registers().size()) return kMalformed;
  const Register& reg = registers()[*number];
  std::vector<u8> value(reg.bytes);
  reg.get(target_.state(general_), value);
  return to_hex(value);
}

std::string Session::write_register(std::string_view text) {
  const auto number = parse_hex(take_until(text, '='));
  const auto value = from_hex(text);
  if (!number || *number >= registers().size() || !value) return kMalformed;
  const Register& reg = registers()[*number];
  if (value->size() != reg.bytes) return kMalformed;
  if (!reg.set) return kRefused;
  CpuState state = target_.state(general_);
  state.tsc = 0;  // time goes on
  reg.set(state, *value);
  return target_.set_state(general_, state) ? kDone : kRefused;
}

std::string Session::read_memory(std::string_view text) const {
  const auto range = parse_range(text);
  if (!range) return kMalformed;
  std::vector<u8> bytes(std::min(range->length, kMaxMemory));
  const auto space = AddressSpace::of(target_.state(general_));
  bytes.resize(read_virtual(target_.memory(), space, range->address, bytes));
  return bytes.empty() && range->length != 0 ? kNotMapped : to_hex(bytes);
}

std::string Session::write_memory(std::string_view text, bool binary) {
  const auto range = parse_range(take_until(text, ':'));
  if (!range) return kMalformed;
  std::vector<u8> bytes(text.begin(), text.end());
  if (!binary) {
    auto decoded = from_hex(text);
    if (!decoded) return kMalformed;
    bytes = std::move(*decoded);
  }
  if (bytes.size() != range->length) return kMalformed;
  const auto space = AddressSpace::of(target_.state(general_));
  return write_virtual(target_.memory(), space, range->address, bytes) ? kDone : kNotMapped;
}

// "KIND,ADDRESS,LENGTH[;...]"; conditions and commands are GDB's own to carry out.
std::string Session::change_breakpoint(std::string_view text, bool insert) {
  const std::string_view kind = take_until(text, ',');
  const auto range = parse_range(take_until(text, ';'));
  if (kind.size() != 1 || !range) return kMalformed;
  const auto breakpoint = breakpoint_of(kind[0], *range);
  if (!breakpoint) return "";
  const u64 length = breakpoint->length;
  if (length == 0 || length > kMaxWatched || breakpoint->address + length - 1 < breakpoint->address) return kMalformed;
  const Inserted wanted{kind[0], *breakpoint};
  const auto found = std::ranges::find(inserted_, wanted);
  if (!insert) {
    if (found != inserted_.end()) inserted_.erase(found);
    return kDone;
  }
  if (found != inserted_.end()) return kDone;
  if (inserted_.size() == kMaxBreakpoints) return kFull;
  inserted_.push_back(wanted);
  return kDone;
}

std::string Session::v_packet(std::string_view text) {
  if (text == "Cont?") return "vCont;c;C;s;S";
  if (take_prefix(text, "Cont;")) return resume(text);
  if (take_prefix(text, "Kill;")) {
    over_ = true;
    target_.kill();
    return kDone;
  }
  return "";
}

// "ACTION[:THREAD]{;ACTION[:THREAD]}": the first that names a vCPU, or all, is what it does; signals mean nothing here.
std::string Session::resume(std::string_view actions) {
  std::vector<std::optional<Action>> chosen(target_.cpu_count());
  while (!actions.empty()) {
    std::string_view one = take_until(actions, ';');
    const std::string_view verb = take_until(one, ':');
    if (verb.empty()) return kMalformed;
    const char letter = verb[0];
    if (letter != 'c' && letter != 'C' && letter != 's' && letter != 'S') return kMalformed;
    const Action action = letter == 'c' || letter == 'C' ? Action::kRun : Action::kStep;
    u32 cpu = 0;
    if (one.empty() || one == "-1") {
      for (auto& slot : chosen) slot = slot.value_or(action);
    } else if (choose(one, &cpu)) {
      chosen[cpu] = chosen[cpu].value_or(action);
    } else {
      return kNoThread;
    }
  }
  std::vector<Action> all;
  for (const auto& slot : chosen) all.push_back(slot.value_or(Action::kStay));
  return go(all);
}

std::string Session::go(const std::vector<Action>& actions) {
  if (!pending_.empty()) {
    const Stop stop = pending_.front();
    pending_.erase(pending_.begin());
    general_ = stepping_ = stop.cpu;
    last_stop_ = describe(stop);
    return last_stop_;
  }
  std::vector<Breakpoint> breakpoints;
  for (const Inserted& one : inserted_) breakpoints.push_back(one.breakpoint);
  running_ = true;
  if (target_.resume(actions, breakpoints)) return "";
  running_ = false;
  return kRefused;
}

std::string Session::detach() {
  if (running_) target_.pause();
  running_ = false;
  inserted_.clear();
  pending_.clear();
  return target_.resume(std::vector<Action>(target_.cpu_count(), Action::kRun), {}) ? kDone : kRefused;
}

}  // namespace pileus::debug::gdb
