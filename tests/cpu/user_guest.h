// UserGuest: runs user-level code in an engine, with the arena at the addresses that it has in a process.
//
// Neighbouring pages of the arena are scattered in guest-physical memory, so that an access across pages that is done
// in one piece shows. Exceptions end the run as well: the IDT leads to an OUT for each vector, on a stack of its own.
#pragma once

#include <memory>
#include <span>

#include "runner.h"
#include "user_state.h"

namespace pileus::cpu_test {

class UserGuest {
 public:
  static Result<std::unique_ptr<UserGuest>> create(Way way, unsigned cpl);

  // Bytes of the arena, by virtual address; within one stretch.
  void write(u64 address, std::span<const u8> bytes);
  void read(u64 address, std::span<u8> bytes);
  // The bytes from `address` to the end of its page, for those in a hurry: written() has to follow if they change.
  u8* host(u64 address);
  void written(u64 address, u64 length);
  Outcome run(const UserState& state, int limit_ms);
  Machine& machine() { return *machine_; }
  // What the engine said at the end of the last run; mostly nothing.
  const std::string& message() const { return message_; }

 private:
  explicit UserGuest(std::unique_ptr<Machine> machine) : machine_(std::move(machine)) {}
  void map_arena();
  void write_idt();

  std::unique_ptr<Machine> machine_;
  engine::CpuState base_;
  std::string message_;
};

}  // namespace pileus::cpu_test
