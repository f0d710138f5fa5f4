// Session: one GDB's connection, from its greeting to its detach. Bytes in, bytes out; no sockets and no threads.
//
// vCPUs are GDB's threads, numbered from 1. All of them stand still, or those that GDB let run do: when one stops, the
// others are stopped too ("all-stop"). Breakpoints of both of GDB's kinds, in software and in hardware, are the engine's
// (engine/debug.h), so the guest's memory is never changed by them, and they hold in every address space.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "debug/gdb/packet.h"
#include "debug/gdb/target.h"

namespace pileus::debug::gdb {

class Session {
 public:
  using Send = std::function<void(std::string_view bytes)>;

  // Stops the guest. Both must outlive the session.
  Session(Target& target, Send send);
  // Lets the guest go on, if it stands still, and takes all breakpoints out.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // What GDB sent. False: the connection is over (detached, killed, or not a GDB).
  [[nodiscard]] bool receive(std::string_view bytes);
  // A vCPU stopped for what resume() asked for.
  void on_stop(u32 cpu, const engine::DebugStop& stop);
  // The guest has ended for good.
  void on_end();

 private:
  struct Inserted {
    char kind;  // of Z packets: '0' software, '1' hardware, '2' to '4' watched ranges
    engine::Breakpoint breakpoint;
    bool operator==(const Inserted&) const = default;
  };
  struct Stop {
    u32 cpu;
    engine::DebugStop stop;
  };

  void reply(std::string_view payload);
  void handle(const std::string& packet);
  void interrupt();
  void report(const std::string& stop);
  std::string describe(const Stop& stop) const;
  bool choose(std::string_view id, u32* cpu) const;

  std::string query(const std::string& packet);
  std::string transfer(std::string_view arguments) const;
  std::string select(std::string_view arguments);
  std::string read_registers() const;
  std::string write_registers(std::string_view text);
  std::string read_register(std::string_view text) const;
  std::string write_register(std::string_view text);
  std::string read_memory(std::string_view text) const;
  std::string write_memory(std::string_view text, bool binary);
  std::string change_breakpoint(std::string_view text, bool insert);
  std::string v_packet(std::string_view text);
  std::string resume(std::string_view actions);
  std::string go(const std::vector<Action>& actions);
  std::string detach();

  Target& target_;
  const Send send_;
  PacketReader reader_;
  std::string last_sent_;  // for a peer that asks for it again
  bool acknowledge_ = true;
  bool over_ = false;
  bool running_ = false;
  bool ended_ = false;
  u32 general_ = 0;  // the vCPU that registers and memory are of
  u32 stepping_ = 0;  // the vCPU that plain `c` and `s` are for
  std::string last_stop_;
  std::vector<Inserted> inserted_;
  std::vector<Stop> pending_;  // of other vCPUs, while one was reported
};

}  // namespace pileus::debug::gdb
