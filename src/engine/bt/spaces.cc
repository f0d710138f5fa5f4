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
  log.jump_tag = 0;
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

// What the log knows stays in it.
void undo(Context& context) {
  SpaceLog& log = current_log(context);
  undo_mappings(context, log);
  log.jump_tag = context.jump_tag;
  log.jump_pages = context.jump[1].pages;
  forget_returns(context.returns, 1);
  for (unsigned half = 0; half < 2; ++half) {
    log.large[half] = context.large_pages[half][1];
    context.large_pages[half][1] = {};
  }
  if (context.kernel_code_non_global) forget_code(context, kModeKernel);
  context.kernel_code_non_global = false;
}

void repeat(Context& context) {
  SpaceLog& log = current_log(context);
  for (unsigned half = 0; half < 2; ++half) context.large_pages[half][1] = log.large[half];
  log.mappings.visit([&](const SpaceLog::Mapping& entry) {
    if (entry.what == Logged::kData)
      enter_data(context, static_cast<Mode>(entry.mode), entry.which, entry.page, entry.to, false);
    if (entry.what == Logged::kCode) enter_code(context.code_tlb[1], entry.page, entry.to);
  });
  if (log.jump_tag == 0) {
    renew_jump_tag(context);
    return;
  }
  context.jump_tag = log.jump_tag;
  context.jump[1].pages = log.jump_pages;
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
  renew_jump_tag(context);
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
  renew_jump_tag(context);
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

void unlog_region(Context& context, u64 va, unsigned bits) {
  SpaceLog& log = current_log(context);
  log.mappings.visit([=](SpaceLog::Mapping& entry) {
    if (((entry.page ^ va) >> bits) == 0) entry.what = Logged::kNothing;
  });
}

void unlog_writes_to(Context& context, u64 host_page) {
  for (SpaceLog& log : context.spaces.log) {
    log.mappings.visit([=](SpaceLog::Mapping& entry) {
      if (entry.what == Logged::kData && entry.which == 1 && entry.to == host_page) entry.what = Logged::kNothing;
    });
  }
}

void renew_jump_tag(Context& context) {
  Spaces& spaces = context.spaces;
  if (spaces.last_jump_tag == kPageMask) {
    flush_jumps(context, kModeUser);
    for (SpaceLog& log : spaces.log) log.jump_tag = 0;
    spaces.last_jump_tag = 0;
  }
  context.jump_tag = ++spaces.last_jump_tag;
  context.jump[1].pages.fill(0);
}

}  // namespace pileus::engine::bt
