#include "engine/bt/far_links.h"

#include <algorithm>
#include <optional>

#include "base/result.h"
#include "engine/bt/code_cache.h"
#include "engine/bt/page_walk.h"
#include "engine/bt/tlb.h"
#include "engine/bt/vm.h"

namespace pileus::engine::bt {

namespace {

constexpr u64 kCr4Pge = 1U << 7;

// Where kernel code at `va` is by the tables of `context`.
bool walk_code(Context& context, u64 va, Walk* walk) {
  const Fault before = context.fault;
  const bool found = walk_pages(context, va, Access::kExecute, kModeKernel, walk);
  context.fault = before;
  // As for a read: that no fetch has taken place.
  if (found) note_mapping(context, va, *walk, Access::kRead, kModeKernel);
  return found;
}

// The mapping that a link can rely on, if that is what there is.
std::optional<Walk> maps(Context& context, u64 vpage, u64 gpa) {
  Walk walk;
  if (!walk_code(context, vpage, &walk) || !walk.global || walk.gpa != gpa) return std::nullopt;
  return walk;
}

bool agrees(u64 a, u64 b, unsigned bits) { return bits >= 64 || ((a ^ b) >> bits) == 0; }

}  // namespace

FarLinks::Region* FarLinks::find(u64 va) const {
  const u64 base = va >> kRegionBits << kRegionBits;
  const auto at = std::lower_bound(regions_.begin(), regions_.end(), base,
                                   [](const auto& region, u64 wanted) { return region->base < wanted; });
  return at != regions_.end() && (*at)->base == base ? at->get() : nullptr;
}

bool FarLinks::holds(u64 vpage, u64 gpa) const {
  const Region* region = find(vpage);
  if (region == nullptr) return false;
  const u64 whole = region->whole.load(std::memory_order_relaxed);
  if (whole != kNone && whole + (vpage - region->base) == gpa) return true;
  return region->page[(vpage - region->base) >> 12].load(std::memory_order_relaxed) == gpa;
}

void FarLinks::link(Context& context, Block* from, unsigned number, Block* to) {
  CodeCache& code = vm_.code();
  const u64 generation = code.generation();
  const u64 vpage = context.rip & ~kPageMask, gpa = to->gpa() & ~kPageMask;
  if (!holds(vpage, gpa)) rely_on(context, vpage, gpa);
  const std::lock_guard lock(code.mutex());
  if (code.generation() != generation) return;
  const u64 place = from->vpage;
  if (place != kNowhere && place != kSeveralPlaces && holds(vpage, gpa)) code.link(from, number, to);
  else code.detour(from, number);
}

void FarLinks::rely_on(Context& context, u64 vpage, u64 gpa) {
  if (!maps(context, vpage, gpa).has_value()) return;  // before all others have to stop for that
  vm_.exclusive(context, [&] {
    bool large = true;
    for (Context* other : vm_.contexts()) {
      if (!other->long_mode()) continue;  // looks when it gets there
      const std::optional<Walk> walk = maps(*other, vpage, gpa);
      if (!walk) return;
      large = large && walk->page_bits >= kRegionBits;
    }
    Region* region = region_for(vpage);
    if (region == nullptr) return;
    const std::lock_guard lock(vm_.code().mutex());
    const u64 offset = vpage - region->base;
    if (large && region->whole == kNone) region->whole = gpa - offset;
    else note_page(*region, offset >> 12, gpa);
  });
}

// What links relied on before is not looked at any more.
void FarLinks::note_page(Region& region, u64 index, u64 gpa) {
  const u64 before = region.page[index];
  if (before != kNone && before != gpa) drop(before, 1);
  region.page[index] = gpa;
}

// For an exclusive section.
FarLinks::Region* FarLinks::region_for(u64 va) {
  if (Region* region = find(va)) return region;
  if (regions_.size() == kMaxRegions && !forget_unused()) return nullptr;
  const u64 base = va >> kRegionBits << kRegionBits;
  const auto at = std::find_if(regions_.begin(), regions_.end(), [=](const auto& one) { return one->base > base; });
  return regions_.insert(at, std::make_unique<Region>(base))->get();
}

// Regions of which nothing is left, of a kernel that is gone. False: there are none. For an exclusive section.
bool FarLinks::forget_unused() {
  const auto is_unused = [](const auto& region) {
    const auto is_none = [](const auto& one) { return one.load(std::memory_order_relaxed) == kNone; };
    return is_none(region->whole) && std::all_of(region->page.begin(), region->page.end(), is_none);
  };
  if (std::erase_if(regions_, is_unused) == 0) return false;
  for (Context* context : vm_.contexts()) forget_returns(context->returns, 0);  // see has_led_to()
  return true;
}

bool FarLinks::relies_on(u64 va, unsigned bits) const {
  if (bits <= kRegionBits) {
    const Region* region = find(va);
    return region != nullptr &&
           (bits == kRegionBits || region->whole != kNone || region->page[(va - region->base) >> 12] != kNone);
  }
  return std::any_of(regions_.begin(), regions_.end(),
                     [=](const auto& region) { return agrees(region->base, va, bits); });
}

void FarLinks::check(Context& context, u64 va, unsigned bits) {
  if (bits >= 64) context.far_links_non_global = false;
  if (!relies_on(va, bits)) return;
  CHECK(!context.vectors_in_place);
  if (!context.long_mode()) return;
  const std::lock_guard lock(vm_.code().mutex());
  for (const auto& region : regions_) {
    if (agrees(region->base, va, std::max(bits, kRegionBits))) check_region(context, *region, va, bits);
  }
}

void FarLinks::check_region(Context& context, Region& region, u64 va, unsigned bits) {
  // Without CR4.PGE no page is global; then they hold until the next change of address space.
  const auto is_there = [&](u64 at, u64 gpa, unsigned page_bits) {
    Walk walk;
    if (!walk_code(context, at, &walk) || walk.gpa != gpa || walk.page_bits < page_bits) return false;
    if (!walk.global && (context.cr4 & kCr4Pge) != 0) return false;
    context.far_links_non_global |= !walk.global;
    context.kernel_code_non_global |= !walk.global;
    return true;
  };
  const u64 whole = region.whole;
  if (whole != kNone && !is_there(region.base, whole, kRegionBits)) {
    region.whole = kNone;
    drop(whole, kRegionPages);
  }
  for (u64 i = 0; i < kRegionPages; ++i) {
    const u64 at = region.base + (i << 12), gpa = region.page[i];
    if (gpa == kNone || !agrees(at, va, bits) || is_there(at, gpa, 12)) continue;
    region.page[i] = kNone;
    drop(gpa, 1);
  }
}

void FarLinks::drop(u64 gpa, unsigned pages) {
  for (unsigned i = 0; i < pages; ++i) {
    const u64 page = gpa + (u64{i} << 12);
    if (page >> 12 < vm_.pages().count()) vm_.code().unlink_far(page);
  }
}

}  // namespace pileus::engine::bt
