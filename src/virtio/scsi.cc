#include "virtio/scsi.h"

#include <bit>
#include <cstddef>
#include <cstring>

#include "base/log.h"

namespace pileus::virtio {

namespace {

constexpr u16 kControlQueue = 0, kEventQueue = 1;
constexpr std::array<u16, 3> kQueueSizes = {16, 16, 128};

// 5.6.4.
struct Config {
  u32 queues = 1;  // for requests
  u32 seg_max = 126;
  u32 max_sectors = 0xFFFF;  // of 512 bytes, in a command
  u32 commands_per_lun = 128;
  u32 event_info_size = 16;
  u32 sense_size = 0;
  u32 command_size = 0;
  u16 max_channel = 0;
  u16 max_target = 0;
  u32 max_lun = 0;
};
static_assert(sizeof(Config) == 36);

using Lun = std::array<u8, 8>;

// 5.6.6.1: what comes before the command's own bytes, and before the sense data.
struct [[gnu::packed]] RequestHead {
  Lun lun;
  u64 id;
  u8 task_attribute, priority, crn;
};
static_assert(sizeof(RequestHead) == 19);
struct ResponseHead {
  u32 sense_bytes = 0;
  u32 residual = 0;
  u16 status_qualifier = 0;
  u8 status = 0;
  u8 response = 0;
};
static_assert(sizeof(ResponseHead) == 12);

// 5.6.6.1 and 5.6.6.2.
enum Response : u8 { kOk = 0, kOverrun = 1, kBadTarget = 3, kFunctionRejected = 11, kIncorrectLun = 12 };
constexpr u32 kTaskManagement = 0, kQueryNotification = 1, kSubscribeNotification = 2;

// SCSI status and sense (SAM-5, 5.3.1; SPC-4, 4.5).
constexpr u8 kCheckCondition = 2;
constexpr Sense kReadError{3, 0x11, 0};

// SAM-5's single level LUN structure behind a one and the target's number (5.6.6.1). Of the LUN's two forms, peripheral
// and flat addressing, the second has a bit set.
bool is_the_drive(const Lun& lun) { return lun[0] == 1 && lun[1] == 0 && (lun[2] & 0xBF) == 0 && lun[3] == 0; }

template <typename T>
std::span<const u8> bytes_of(const T& value) {
  return {reinterpret_cast<const u8*>(&value), sizeof value};
}

}  // namespace

std::span<const u16> Scsi::queue_sizes() const { return kQueueSizes; }

void Scsi::read_config(u32 offset, std::span<u8> out) const {
  Config config;
  config.sense_size = sense_bytes_;
  config.command_size = command_bytes_;
  copy_config(bytes_of(config), offset, out);
}

void Scsi::write_config(u32 offset, std::span<const u8> data) {
  u32 value = 0;
  if (data.size() != sizeof value) return;
  std::memcpy(&value, data.data(), sizeof value);
  if (offset == offsetof(Config, sense_size)) sense_bytes_ = value;
  if (offset == offsetof(Config, command_size)) command_bytes_ = value;
}

void Scsi::reset() {
  active_ = {};
  sense_bytes_ = kUsualSenseBytes;
  command_bytes_ = kUsualCommandBytes;
}

void Scsi::notify(u16 queue) {
  if (queue >= active_.queues.size() || queue == kEventQueue) return;
  active_.serve(queue, chain_, [&](const Chain& chain) -> u32 {
    const std::optional<u32> written = queue == kControlQueue ? answer_control(chain) : answer_request(chain);
    if (!written) active_.queues[queue].fail("a SCSI request has no room for its answer");
    return written.value_or(0);
  });
}

// Every command is finished before the next request is looked at, so there is nothing to abort, and no event to subscribe to.
std::optional<u32> Scsi::answer_control(const Chain& chain) const {
  u32 type = 0;
  std::array<u8, sizeof type> raw{};
  if (!chain.read(0, raw)) return std::nullopt;
  std::memcpy(&type, raw.data(), sizeof type);
  if (type == kQueryNotification || type == kSubscribeNotification) {
    const std::array<u8, 5> answer{};  // no events, kOk
    return chain.write(0, answer) ? std::optional<u32>(answer.size()) : std::nullopt;
  }
  Lun lun{};
  constexpr u64 kLunAt = 8;
  u8 response = kFunctionRejected;
  if (type == kTaskManagement) {
    if (!chain.read(kLunAt, lun)) return std::nullopt;
    response = is_the_drive(lun) ? kOk : kIncorrectLun;
  }
  return chain.write(0, bytes_of(response)) ? std::optional<u32>(1) : std::nullopt;
}

std::optional<u32> Scsi::answer_request(const Chain& chain) {
  std::array<u8, sizeof(RequestHead)> raw{};
  std::array<u8, 16> command{};
  const u64 given = std::min<u64>(command_bytes_, command.size());
  const u64 data_at = sizeof(ResponseHead) + u64{sense_bytes_};
  if (!chain.read(0, raw) || !chain.read(sizeof(RequestHead), std::span(command).first(given)) ||
      chain.writable_bytes < data_at) {
    return std::nullopt;
  }
  const auto head = std::bit_cast<RequestHead>(raw);
  if (is_the_drive(head.lun)) return execute(command, chain, data_at, chain.writable_bytes - data_at);
  ResponseHead response;
  response.response = kBadTarget;
  return chain.write(0, bytes_of(response)) ? std::optional<u32>(sizeof response) : std::nullopt;
}

std::optional<u32> Scsi::execute(std::span<const u8, 16> command, const Chain& chain, u64 data_at, u64 room) {
  CdDrive::Answer answer = drive_.execute(command);
  u64 length = answer.data.size() + answer.disc_bytes;
  ResponseHead response;
  if (length > room) {
    response.response = kOverrun;
    length = 0;
  } else if (!answer.sense && !send_data(answer, chain, data_at)) {
    answer.sense = kReadError;
    length = 0;
  }
  response.residual = static_cast<u32>(room - length);
  if (answer.sense) {
    const std::vector<u8> sense = encode_sense(answer.sense);
    response.status = kCheckCondition;
    response.sense_bytes = static_cast<u32>(std::min<u64>(sense.size(), data_at - sizeof response));
    if (!chain.write(sizeof response, std::span(sense).first(response.sense_bytes))) return std::nullopt;
  }
  if (!chain.write(0, bytes_of(response))) return std::nullopt;
  return static_cast<u32>(data_at + length);
}

bool Scsi::send_data(const CdDrive::Answer& answer, const Chain& chain, u64 data_at) {
  if (!answer.data.empty()) return chain.write(data_at, answer.data);
  u64 offset = answer.disc_offset;
  return visit_range(chain.writable, data_at, answer.disc_bytes, [&](std::span<u8> piece) {
    const Result<> read = drive_.read(offset, piece);
    if (!read) log::error("CD drive: {}", read.error().message());
    offset += piece.size();
    return read.ok();
  });
}

}  // namespace pileus::virtio
