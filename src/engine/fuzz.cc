#include "engine/fuzz.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/bt/interp.h"
#include "engine/bt/stored/file.h"

namespace pileus::engine {

using namespace bt::stored;

namespace {

// Room for one block, which is never kept.
bt::CodeCache& code_cache() {
  static const guest::GuestMemory memory = [] {
    auto made = guest::GuestMemory::create(1 * kMiB, 3 * kGiB);
    CHECK(made.ok());
    return std::move(made).value();
  }();
  static const std::unique_ptr<bt::CodePages> pages = std::move(bt::CodePages::create(memory)).value();
  static const std::unique_ptr<bt::CodeCache> code = [] {
    auto made = std::move(bt::CodeCache::create(1 * kMiB, *pages)).value();
    made->set_base(made->room() + 4096);  // as if there were stubs
    return made;
  }();
  return *code;
}

}  // namespace

void fuzz_translation_file(std::span<const u8> input) {
  if (input.size() < sizeof(FileHeader)) return;
  os::Mapping mapping = std::move(os::Mapping::anonymous(align_up(input.size(), 4096))).value();
  std::memcpy(mapping.data(), input.data(), input.size());
  FileHeader header;
  std::memcpy(&header, input.data(), sizeof header);
  header = make_header(header.fingerprint, header.slot_count, header.entry_count, input.size());
  std::memcpy(mapping.data(), &header, sizeof header);
  auto file = TranslationFile::from(std::move(mapping), input.size(), header.fingerprint);
  if (!file) return;
  const u64 bytes = std::min<u64>(input.size(), 720);
  const Wanted wanted{input.data() + input.size() - bytes, static_cast<unsigned>(bytes), 0, bt::kModeUser, 3};
  if (const auto entry = (*file)->find(wanted)) CHECK(entry->fits(wanted));
  (*file)->for_each([](std::span<const u8> entry, bool) { CHECK(parse_entry(entry)); });
}

void fuzz_translation_entry(std::span<const u8> input) {
  alignas(EntryHeader) std::array<u8, kMaxEntry> bytes;
  const u64 size = std::min<u64>(input.size(), bytes.size());
  std::copy_n(input.begin(), size, bytes.begin());
  const auto entry = parse_entry_unchecked({bytes.data(), size});
  if (!entry) return;
  bt::CodeCache& code = code_cache();
  bt::Block* block = code.room_for_record();
  CHECK(place_entry(*entry, code, block, code.room(), code.cold_room()) || block->host != nullptr);
}

}  // namespace pileus::engine
