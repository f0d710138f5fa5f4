// What runs in a worker process besides the guest's code: a few instructions that use no memory which that code could
// write, on a page of their own.
//
// The worker has two threads. The *executor* runs the guest's user code; every signal it gets, and so every exception and
// every system call, leads to `handler`, which tells the VMM and waits for leave to go on. Its seccomp filter lets through
// no system call but the three of the handler, and those at their place only. The *mapper* never runs anything else than
// its loop here, which carries out the VMM's requests to map guest memory; it keeps everything in registers.
//
// Guest code may jump into these instructions. What it can do there is to stop itself, and to forge the registers that it
// goes on with. It cannot make the VMM take it for stopped while it runs: see Worker::run().
#pragma once

#include <linux/filter.h>

#include <array>

#include "base/ints.h"

namespace pileus::engine::bt::direct {

// The region of a worker that is not the guest's. Guest pages there are never run directly.
inline constexpr u64 kRegion = 0x1F00'0000'0000;
inline constexpr u64 kControlOffset = 0x1000;
inline constexpr u64 kScratchOffset = 0x4000;
inline constexpr u64 kStackOffset = 0x5000;
inline constexpr u64 kStackBytes = 0x10000;
inline constexpr u64 kRegionBytes = kStackOffset + kStackBytes;
inline constexpr u64 kUserEnd = 0x7FFF'FFFF'F000;  // of what Linux lets a process map

// Descriptors of the worker.
enum Descriptor : int { kFdMemory = 3, kFdExit, kFdGo, kFdRequest, kFdMapped, kFdCount };

// Guest memory from `offset` on at [address, address + length), or nothing there when protection is 0.
struct MapRequest {
  u64 address = 0, length = 0, protection = 0, offset = 0;
};
inline constexpr std::size_t kMaxRequests = 300;

struct FilterProgram {
  u64 length = 0;
  u64 code = 0;
};

// Written by the VMM, read-only in the worker.
struct Control {
  u64 one = 1;
  u64 two = 2;
  u64 all_signals = ~u64{0};
  u64 fs_base = 0, gs_base = 0;  // to go on with
  FilterProgram executor, mapper;
  u64 request_count = 0;
  std::array<MapRequest, kMaxRequests> request;
  std::array<sock_filter, 48> executor_code;
  std::array<sock_filter, 48> mapper_code;
};
static_assert(sizeof(Control) <= kScratchOffset - kControlOffset);

// Written in the worker, and so maybe by guest code.
struct Scratch {
  u64 frame = 0;  // ucontext_t of the signal, an address of the worker
  u64 fs_base = 0, gs_base = 0;
  u64 token = 0, mapper_token = 0;
  u64 signal = 0;
};

struct Stub {
  const u8* begin;
  u64 bytes;
  // Places in the worker.
  u64 start, handler;
  u64 after_exit, after_go, after_return;  // what the filter knows the executor's system calls by
};
const Stub& stub();

}  // namespace pileus::engine::bt::direct
