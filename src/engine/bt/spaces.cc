#include "engine/bt/spaces.h"

#include "engine/bt/mmu.h"
#include "engine/bt/tlb.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kCr4Pcide = 1U << 17;

SpaceLog& current_log(Context& context) { return context.spaces.log[context.spaces.current]; }

u64 current_pcid(const Context& context) { return (context.cr4 & kCr4Pcide) != 0 ? context.cr3 & 0xFFF : 0; }

void clear(SpaceLog& log) {
  log.mappings.count = 0;
  log.jumps.count = 0;
  log.logged_modes = {};
  log.logged_code = false;
}

void undo_mappings(Context& context, SpaceLog& log) {
  log.mappings.visit([&](const SpaceLog::Mapping& entry) {
    if (entry.what == Logged::kData) drop_entry(context.tlb[entry.mode][entry.which], entry.page);
    if (entry.what == Logged::kCode && context.code_tlb[1].page[code_slot(entry.page)] == entry.page)
      context.code_tlb[1].page[code_slot(entry.page)] = kNoPage;
  });
  if (!log.mappings.is_whole()) {  // some were forgotten
    for (const Mode mode : {kModeKernel, kModeKernelAc, kModeUser}) {
      if (log.logged_modes[mode]) clear_non_global(context, mode);
    }
    if (log.logged_code) context.code_tlb[1].page.fill(kNoPage);
  }
  forget_stack_entries(context);
}

void undo_jumps(Context& context, SpaceLog& log) {
  JumpCache& cache = context.jump[1];
  if (log.jumps.is_whole()) {
    log.jumps.visit(
        [&](const SpaceLog::Jump& jump) { cache.host[jump.slot].store(context.no_jump, std::memory_order_relaxed); });
    cache.used = 0;
    cache.pages.fill(0);
  } else {
    flush_jumps(context, kModeUser);
  }
  forget_returns(context.returns, 1);
}

// What the log knows stays in it.
void undo(Context& context) {
  SpaceLog& log = current_log(context);
  undo_mappings(context, log);
  undo_jumps(context, log);
  for (unsigned half = 0; half < 2; ++half) {
    log.large[half] = context.large_pages[half][1];
    context.large_pages[half][1] = {};
  }
  if (context.kernel_code_non_global) forget_code(context, kModeKernel);
  context.kernel_code_non_global = false;
}

void repeat_jumps(Context& context, SpaceLog& log) {
  const u64 drops = context.vm->jump_drops();
  if (log.jump_drops != drops || context.spaces.global_user_code) {
    log.jumps.count = 0;
    log.jump_drops = drops;
    return;
  }
  log.jumps.visit([&](const SpaceLog::Jump& jump) {
    if (jump.host != 0) enter_jump(context.jump[1], jump);
  });
  // Who makes a block invalid counts that, then looks through the jump caches: either it sees these, or we see its count.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (context.vm->jump_drops() != drops) {
    flush_jumps(context, kModeUser);
    log.jumps.count = 0;
  }
}

void repeat(Context& context) {
  SpaceLog& log = current_log(context);
  for (unsigned half = 0; half < 2; ++half) context.large_pages[half][1] = log.large[half];
  log.mappings.visit([&](const SpaceLog::Mapping& entry) {
    if (entry.what == Logged::kData)
      enter_data(context, static_cast<Mode>(entry.mode), entry.which, entry.page, entry.to, false);
    if (entry.what == Logged::kCode) enter_code(context.code_tlb[1], entry.page, entry.to);
  });
  repeat_jumps(context, log);
}

SpaceLog* find(Spaces& spaces, u64 pcid) {
  for (unsigned i = 0; i < kSpaces; ++i) {
    if (i != spaces.current && spaces.log[i].used && spaces.log[i].pcid == pcid) return &spaces.log[i];
  }
  return nullptr;
}

// A log that nobody uses, or the one that was left longest ago.
SpaceLog& free_log(Spaces& spaces) {
  SpaceLog* best = nullptr;
  for (unsigned i = 0; i < kSpaces; ++i) {
    SpaceLog& log = spaces.log[i];
    if (i == spaces.current) continue;
    if (!log.used) return log;
    if (best == nullptr || log.left_at < best->left_at) best = &log;
  }
  return *best;
}

// Adds to the jumps, which have to be all for the same Vm::jump_drops().
SpaceLog::Jump& new_jump(Context& context, SpaceLog& log) {
  const u64 drops = context.vm->jump_drops();
  if (log.jump_drops != drops) {
    log.jump_drops = drops;
    log.jumps.visit([](SpaceLog::Jump& jump) { jump.host = 0; });  // their slots are still to be undone
  }
  return log.jumps.add();
}

}  // namespace

void change_space(Context& context, u64 pcid, bool keep) {
  Spaces& spaces = context.spaces;
  if (pcid == current_pcid(context)) {
    if (!keep) flush_tlb_non_global(context);
    return;
  }
  undo(context);
  SpaceLog& old = current_log(context);
  old.used = true;
  old.pcid = current_pcid(context);
  old.left_at = ++spaces.clock;
  SpaceLog* known = find(spaces, pcid);
  SpaceLog& next = known != nullptr ? *known : free_log(spaces);
  spaces.current = static_cast<unsigned>(&next - spaces.log.data());
  if (known != nullptr && keep) {
    ++context.stats.spaces_kept;
    repeat(context);
    return;
  }
  clear(next);
  if (!keep) ++context.tlb_flushes;
}

void forget_space(Context& context, u64 pcid) {
  if (pcid == current_pcid(context)) {
    flush_tlb_non_global(context);
    return;
  }
  ++context.tlb_flushes;
  if (SpaceLog* log = find(context.spaces, pcid)) log->used = false;
}

void forget_other_spaces(Context& context) {
  ++context.tlb_flushes;
  for (SpaceLog& log : context.spaces.log) {
    if (&log == &current_log(context)) continue;
    log.used = false;
    clear(log);
  }
}

void flush_tlb_non_global(Context& context) {
  ++context.tlb_flushes;
  undo(context);
  clear(current_log(context));
  if (context.far_links_non_global) context.vm->far_links().check_all(context);
}

void clear_log(Context& context) {
  clear(current_log(context));
  context.spaces.global_user_code = false;
}

void log_data(Context& context, u64 page, u64 host, u8 mode, u8 which) {
  SpaceLog& log = current_log(context);
  log.mappings.add() = {page, host, Logged::kData, mode, which};
  log.logged_modes[mode] = true;
}

void log_code(Context& context, u64 page, u64 gpa) {
  SpaceLog& log = current_log(context);
  log.mappings.add() = {page, gpa, Logged::kCode, 0, 0};
  log.logged_code = true;
}

void log_jump(Context& context, u64 slot, u64 host) {
  new_jump(context, current_log(context)) = {host, context.jump[1].not_vpage[slot], slot};
}

void unlog_jump(Context& context, u64 slot) {
  current_log(context).jumps.visit([slot](SpaceLog::Jump& jump) {
    if (jump.slot == slot) jump.host = 0;
  });
}

void unlog_region(Context& context, u64 va, unsigned bits, bool jumps) {
  SpaceLog& log = current_log(context);
  log.mappings.visit([=](SpaceLog::Mapping& entry) {
    if (((entry.page ^ va) >> bits) == 0) entry.what = Logged::kNothing;
  });
  if (!jumps) return;
  log.jumps.visit([=](SpaceLog::Jump& jump) {
    if (((~jump.not_vpage ^ va) >> bits) == 0) jump.host = 0;
  });
}

void unlog_writes_to(Context& context, u64 host_page) {
  for (SpaceLog& log : context.spaces.log) {
    log.mappings.visit([=](SpaceLog::Mapping& entry) {
      if (entry.what == Logged::kData && entry.which == 1 && entry.to == host_page) entry.what = Logged::kNothing;
    });
  }
}

void unlog_jumps(Context& context) {
  for (SpaceLog& log : context.spaces.log) {
    log.jumps.visit([](SpaceLog::Jump& jump) { jump.host = 0; });
  }
}

}  // namespace pileus::engine::bt
