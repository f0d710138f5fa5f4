#include "engine/bt/direct/filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cstddef>
#include <span>
#include <vector>

#include "base/result.h"

namespace pileus::engine::bt::direct {

namespace {

constexpr u32 kIp = offsetof(seccomp_data, instruction_pointer);
constexpr u32 argument(unsigned number) { return offsetof(seccomp_data, args) + 8 * number; }
constexpr u64 kControl = kRegion + kControlOffset;

// A list of rules; a system call that satisfies one of them is allowed, any other gets `otherwise`.
class Filter {
 public:
  explicit Filter(u32 otherwise) : otherwise_(otherwise) {
    load(offsetof(seccomp_data, arch));
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    code_.push_back(BPF_STMT(BPF_RET | BPF_K, otherwise_));
  }
  void begin_rule() { tests_.clear(); }
  void need32(u32 offset, u32 value) {
    load(offset);
    tests_.push_back(code_.size());
    code_.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 0));
  }
  void need64(u32 offset, u64 value) {
    need32(offset, static_cast<u32>(value));
    need32(offset + 4, static_cast<u32>(value >> 32));
  }
  void end_rule() {
    code_.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    for (const std::size_t test : tests_) code_[test].jf = static_cast<u8>(code_.size() - test - 1);
  }
  u64 finish(std::span<sock_filter> out) {
    code_.push_back(BPF_STMT(BPF_RET | BPF_K, otherwise_));
    CHECK(code_.size() <= out.size());
    for (std::size_t i = 0; i < code_.size(); ++i) out[i] = code_[i];
    return code_.size();
  }

 private:
  void load(u32 offset) { code_.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)); }

  u32 otherwise_;
  std::vector<sock_filter> code_;
  std::vector<std::size_t> tests_;
};

u64 executor(std::span<sock_filter> out) {
  Filter filter(SECCOMP_RET_TRAP);
  // Exactly one for each stop: what it writes counts.
  filter.begin_rule();
  filter.need64(kIp, stub().after_exit);
  filter.need32(offsetof(seccomp_data, nr), SYS_write);
  filter.need32(argument(0), kFdExit);
  filter.need64(argument(1), kControl + offsetof(Control, one));
  filter.need64(argument(2), 8);
  filter.end_rule();
  filter.begin_rule();
  filter.need64(kIp, stub().after_go);
  filter.need32(offsetof(seccomp_data, nr), SYS_read);
  filter.need32(argument(0), kFdGo);
  filter.end_rule();
  filter.begin_rule();
  filter.need64(kIp, stub().after_return);
  filter.need32(offsetof(seccomp_data, nr), SYS_rt_sigreturn);
  filter.end_rule();
  return filter.finish(out);
}

u64 mapper(std::span<sock_filter> out) {
  Filter filter(SECCOMP_RET_KILL_PROCESS);
  filter.begin_rule();
  filter.need32(offsetof(seccomp_data, nr), SYS_mmap);
  filter.need32(argument(4), kFdMemory);
  filter.end_rule();
  filter.begin_rule();
  filter.need32(offsetof(seccomp_data, nr), SYS_munmap);
  filter.end_rule();
  filter.begin_rule();
  filter.need32(offsetof(seccomp_data, nr), SYS_read);
  filter.need32(argument(0), kFdRequest);
  filter.end_rule();
  filter.begin_rule();
  filter.need32(offsetof(seccomp_data, nr), SYS_write);
  filter.need32(argument(0), kFdMapped);
  filter.end_rule();
  return filter.finish(out);
}

}  // namespace

void write_filters(Control* control) {
  control->executor = {executor(control->executor_code), kControl + offsetof(Control, executor_code)};
  control->mapper = {mapper(control->mapper_code), kControl + offsetof(Control, mapper_code)};
}

}  // namespace pileus::engine::bt::direct
