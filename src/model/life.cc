#include "model/life.h"

namespace pileus::model {

template <>
std::span<const Move<InstanceState>> legal_moves() {
  using enum InstanceState;
  static constexpr Move<InstanceState> kMoves[] = {
      {kPending, kRunning},      {kPending, kStopped},  // a start that failed: the instance is as before
      {kPending, kShuttingDown}, {kPending, kTerminated},  // a launch that failed before any host had it
      {kRunning, kStopping},     {kRunning, kShuttingDown}, {kStopping, kStopped},        {kStopping, kShuttingDown},
      {kStopped, kPending},      {kStopped, kShuttingDown}, {kShuttingDown, kTerminated},
  };
  return kMoves;
}

template <>
std::span<const Move<ImageState>> legal_moves() {
  using enum ImageState;
  static constexpr Move<ImageState> kMoves[] = {
      {kPending, kAvailable},      {kPending, kFailed},      {kPending, kDeregistered},
      {kAvailable, kDeregistered}, {kFailed, kDeregistered},
  };
  return kMoves;
}

template <>
std::span<const Move<VolumeState>> legal_moves() {
  using enum VolumeState;
  static constexpr Move<VolumeState> kMoves[] = {
      {kCreating, kAvailable}, {kCreating, kError},     {kCreating, kDeleting}, {kAvailable, kInUse},
      {kInUse, kAvailable},    {kAvailable, kDeleting}, {kInUse, kDeleting},  // with its instance
      {kError, kDeleting},     {kDeleting, kDeleted},
  };
  return kMoves;
}

template <>
std::span<const Move<AttachmentState>> legal_moves() {
  using enum AttachmentState;
  static constexpr Move<AttachmentState> kMoves[] = {
      {kDetached, kAttaching}, {kAttaching, kAttached}, {kAttaching, kDetaching},
      {kAttached, kDetaching}, {kDetaching, kDetached},
  };
  return kMoves;
}

template <>
std::span<const Move<SnapshotState>> legal_moves() {
  using enum SnapshotState;
  static constexpr Move<SnapshotState> kMoves[] = {{kPending, kCompleted}, {kPending, kError}};
  return kMoves;
}

template <>
std::span<const Move<TransferState>> legal_moves() {
  using enum TransferState;
  static constexpr Move<TransferState> kMoves[] = {{kActive, kCompleted}, {kActive, kFailed}};
  return kMoves;
}

template <>
std::span<const Move<InterfaceState>> legal_moves() {
  using enum InterfaceState;
  static constexpr Move<InterfaceState> kMoves[] = {{kPending, kAvailable}, {kAvailable, kInUse}, {kInUse, kAvailable}};
  return kMoves;
}

template <>
std::span<const Move<NetworkState>> legal_moves() {
  using enum NetworkState;
  static constexpr Move<NetworkState> kMoves[] = {{kPending, kAvailable}};
  return kMoves;
}

template <>
std::span<const Move<AddressState>> legal_moves() {
  using enum AddressState;
  static constexpr Move<AddressState> kMoves[] = {{kFree, kAssociated}, {kAssociated, kFree}};
  return kMoves;
}

template <>
std::span<const Move<HostState>> legal_moves() {
  using enum HostState;
  static constexpr Move<HostState> kMoves[] = {
      {kReady, kUnreachable}, {kUnreachable, kReady}, {kReady, kRemoved}, {kUnreachable, kRemoved}};
  return kMoves;
}

u32 state_code(InstanceState state) {
  switch (state) {
    case InstanceState::kPending: return 0;
    case InstanceState::kRunning: return 16;
    case InstanceState::kShuttingDown: return 32;
    case InstanceState::kTerminated: return 48;
    case InstanceState::kStopping: return 64;
    case InstanceState::kStopped: return 80;
  }
  return 0;
}

}  // namespace pileus::model
