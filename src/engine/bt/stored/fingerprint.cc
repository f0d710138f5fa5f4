#include "engine/bt/stored/fingerprint.h"

#include <Zydis/Zydis.h>
#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace pileus::engine::bt::stored {

namespace {

using BuildId = std::array<u8, 20>;

// A note is its header, its name and its description, each padded to 4 bytes.
bool find_in_notes(const u8* at, u64 size, BuildId* out) {
  constexpr std::string_view kName{"GNU\0", 4};
  while (size >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, at, sizeof note);
    const u64 name = align_up(note.n_namesz, 4);
    const u64 whole = sizeof note + name + align_up(note.n_descsz, 4);
    if (whole > size) return false;
    const auto* text = reinterpret_cast<const char*>(at + sizeof note);
    if (note.n_type == NT_GNU_BUILD_ID && std::string_view(text, note.n_namesz) == kName) {
      std::memcpy(out->data(), at + sizeof note + name, std::min<u64>(note.n_descsz, out->size()));
      return note.n_descsz != 0;
    }
    at += whole;
    size -= whole;
  }
  return false;
}

// Called with the program first; 1 ends the search.
int look_at_program(dl_phdr_info* info, std::size_t, void* out) {
  for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const auto* notes = reinterpret_cast<const u8*>(info->dlpi_addr + header.p_vaddr);
    if (find_in_notes(notes, header.p_memsz, static_cast<BuildId*>(out))) return 1;
  }
  return -1;
}

}  // namespace

std::optional<Fingerprint> fingerprint_of(const CpuFeatures& guest, const CpuFeatures& host, u32 stub_bytes) {
  Fingerprint out{};
  if (dl_iterate_phdr(look_at_program, &out.build_id) != 1) return std::nullopt;
  out.stub_bytes = stub_bytes;
  out.decoder = ZydisGetVersion();
  out.guest = guest;
  out.host = host;
  return out;
}

}  // namespace pileus::engine::bt::stored
