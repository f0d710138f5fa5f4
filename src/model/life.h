// The life of each object as a table of legal moves, and the one function that makes a move.
//
// States carry EC2's names. That an object is gone for good (its record deleted) is no state.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "model/names.h"

namespace pileus::model {

enum class InstanceState : u8 { kPending, kRunning, kStopping, kStopped, kShuttingDown, kTerminated };
enum class ImageState : u8 { kPending, kAvailable, kFailed, kDeregistered };
enum class VolumeState : u8 { kCreating, kAvailable, kInUse, kDeleting, kDeleted, kError };
enum class AttachmentState : u8 { kDetached, kAttaching, kAttached, kDetaching };
enum class SnapshotState : u8 { kPending, kCompleted, kError };
enum class TransferState : u8 { kActive, kCompleted, kFailed };
enum class InterfaceState : u8 { kPending, kAvailable, kInUse };
enum class NetworkState : u8 { kPending, kAvailable };  // of a VPC or subnet
enum class AddressState : u8 { kFree, kAssociated };
enum class HostState : u8 { kReady, kUnreachable, kRemoved };

template <>
struct Names<InstanceState> {
  static constexpr std::array<std::string_view, 6> kAll = {"pending", "running",       "stopping",
                                                           "stopped", "shutting-down", "terminated"};
  static constexpr std::string_view kThing = "instance";
};
template <>
struct Names<ImageState> {
  static constexpr std::array<std::string_view, 4> kAll = {"pending", "available", "failed", "deregistered"};
  static constexpr std::string_view kThing = "image";
};
template <>
struct Names<VolumeState> {
  static constexpr std::array<std::string_view, 6> kAll = {"creating", "available", "in-use",
                                                           "deleting", "deleted",   "error"};
  static constexpr std::string_view kThing = "volume";
};
template <>
struct Names<AttachmentState> {
  static constexpr std::array<std::string_view, 4> kAll = {"detached", "attaching", "attached", "detaching"};
  static constexpr std::string_view kThing = "attachment";
};
template <>
struct Names<SnapshotState> {
  static constexpr std::array<std::string_view, 3> kAll = {"pending", "completed", "error"};
  static constexpr std::string_view kThing = "snapshot";
};
template <>
struct Names<TransferState> {
  static constexpr std::array<std::string_view, 3> kAll = {"active", "completed", "failed"};
  static constexpr std::string_view kThing = "transfer";
};
template <>
struct Names<InterfaceState> {
  static constexpr std::array<std::string_view, 3> kAll = {"pending", "available", "in-use"};
  static constexpr std::string_view kThing = "network interface";
};
template <>
struct Names<NetworkState> {
  static constexpr std::array<std::string_view, 2> kAll = {"pending", "available"};
  static constexpr std::string_view kThing = "network";
};
template <>
struct Names<AddressState> {
  static constexpr std::array<std::string_view, 2> kAll = {"free", "associated"};
  static constexpr std::string_view kThing = "address";
};
template <>
struct Names<HostState> {
  static constexpr std::array<std::string_view, 3> kAll = {"ready", "unreachable", "removed"};
  static constexpr std::string_view kThing = "host";
};

template <typename S>
struct Move {
  S from;
  S to;
};

// All legal moves of a kind of object. Staying is no move.
template <typename S>
std::span<const Move<S>> legal_moves();

template <typename S>
bool can_move(S from, S to) {
  for (const Move<S>& move : legal_moves<S>()) {
    if (move.from == from && move.to == to) return true;
  }
  return false;
}

// Says why `from` does not become `to`, and what it may become.
template <typename S>
Error illegal_move(S from, S to) {
  std::string ways;
  for (const Move<S>& move : legal_moves<S>()) {
    if (move.from == from) ways += (ways.empty() ? "" : " or ") + std::string(name(move.to));
  }
  return Error(ErrorCode::kInvalid, "the " + std::string(Names<S>::kThing) + " is " + std::string(name(from)) +
                                        " and cannot become " + std::string(name(to)) +
                                        (ways.empty() ? ": this is its end" : ": it can only become " + ways));
}

// Makes the move, or says why not and leaves `state` alone.
template <typename S>
Result<> apply_move(S& state, S to) {
  if (!can_move(state, to)) return illegal_move(state, to);
  state = to;
  return {};
}

// EC2's number for a state: 0 pending, 16 running, 32 shutting-down, 48 terminated, 64 stopping, 80 stopped.
u32 state_code(InstanceState state);

}  // namespace pileus::model
