#include "machine/loader/elf.h"

#include <elf.h>

namespace pileus::machine {

namespace {
constexpr unsigned kMaxProgramHeaders = 64;  // a kernel has fewer than ten

Error truncated(const char* what) {
  return {ErrorCode::kCorrupt, std::string("truncated: ") + what + " lies outside the file"};
}

Result<> check_identity(const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64) {
    return Error(ErrorCode::kUnsupported, "not an x86-64 kernel");
  }
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
    return Error(ErrorCode::kUnsupported, "not an executable ELF file");
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxProgramHeaders) {
    return Error(ErrorCode::kCorrupt, "damaged: its program header table has an impossible shape");
  }
  return {};
}

Result<ElfSegment> check_segment(Bytes file, const Elf64_Phdr& header) {
  if (!slice(file, header.p_offset, header.p_filesz)) return truncated("a segment");
  if (header.p_filesz > header.p_memsz) {
    return Error(ErrorCode::kCorrupt, "damaged: a segment is larger in the file than in memory");
  }
  if (!checked_add<u64>(header.p_paddr, header.p_memsz)) {
    return Error(ErrorCode::kCorrupt, "damaged: a segment wraps around the address space");
  }
  return ElfSegment{header.p_paddr, header.p_offset, header.p_filesz, header.p_memsz};
}
}  // namespace

bool looks_like_elf(Bytes file) { return file.size() >= SELFMAG && std::memcmp(file.data(), ELFMAG, SELFMAG) == 0; }

Result<ElfImage> parse_elf(Bytes file) {
  if (!looks_like_elf(file)) return Error(ErrorCode::kCorrupt, "not an ELF file");
  const auto header = load<Elf64_Ehdr>(file, 0);
  if (!header) return truncated("the ELF header");
  TRY(check_identity(*header));

  ElfImage image;
  image.entry = header->e_entry;
  for (u64 i = 0; i < header->e_phnum; ++i) {
    const auto offset = checked_add<u64>(header->e_phoff, i * sizeof(Elf64_Phdr));
    const auto program = offset ? load<Elf64_Phdr>(file, *offset) : std::nullopt;
    if (!program) return truncated("the program header table");
    if (program->p_type != PT_LOAD || program->p_memsz == 0) continue;
    const ElfSegment segment = TRY(check_segment(file, *program));
    image.segments.push_back(segment);
  }
  if (image.segments.empty()) return Error(ErrorCode::kCorrupt, "damaged: it has no segment to load");
  return image;
}

}  // namespace pileus::machine
