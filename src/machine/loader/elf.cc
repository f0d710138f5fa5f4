#include "machine/loader/elf.h"

#include <elf.h>

namespace pileus::machine {

namespace {
constexpr unsigned kMaxProgramHeaders = 64;  // a kernel has fewer than ten

Error truncated(const char* what) {
  return {ErrorCode::kCorrupt, std::string("truncated: ") + what + " lies outside the file"};
}

struct Elf32 {
  using Header = Elf32_Ehdr;
  using Program = Elf32_Phdr;
  static constexpr unsigned kClass = ELFCLASS32, kMachine = EM_386;
  static constexpr const char* kOther = "not an i386 kernel";
};
struct Elf64 {
  using Header = Elf64_Ehdr;
  using Program = Elf64_Phdr;
  static constexpr unsigned kClass = ELFCLASS64, kMachine = EM_X86_64;
  static constexpr const char* kOther = "not an x86-64 kernel";
};

template <typename Elf>
Result<> check_identity(const typename Elf::Header& header) {
  if (header.e_ident[EI_CLASS] != Elf::kClass || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != Elf::kMachine) {
    return Error(ErrorCode::kUnsupported, Elf::kOther);
  }
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
    return Error(ErrorCode::kUnsupported, "not an executable ELF file");
  }
  if (header.e_phentsize != sizeof(typename Elf::Program) || header.e_phnum > kMaxProgramHeaders) {
    return Error(ErrorCode::kCorrupt, "damaged: its program header table has an impossible shape");
  }
  return {};
}

template <typename Program>
Result<ElfSegment> check_segment(u64 file_size, const Program& header) {
  if (header.p_offset > file_size || header.p_filesz > file_size - header.p_offset) return truncated("a segment");
  if (header.p_filesz > header.p_memsz) {
    return Error(ErrorCode::kCorrupt, "damaged: a segment is larger in the file than in memory");
  }
  if (!checked_add<u64>(header.p_paddr, header.p_memsz)) {
    return Error(ErrorCode::kCorrupt, "damaged: a segment wraps around the address space");
  }
  return ElfSegment{header.p_paddr, header.p_vaddr, header.p_offset, header.p_filesz, header.p_memsz};
}

template <typename Elf>
Result<ElfImage> parse(Bytes head, u64 file_size) {
  const auto header = load<typename Elf::Header>(head, 0);
  if (!header) return truncated("the ELF header");
  TRY(check_identity<Elf>(*header));

  ElfImage image;
  image.entry = header->e_entry;
  image.is_i386 = Elf::kClass == ELFCLASS32;
  for (u64 i = 0; i < header->e_phnum; ++i) {
    const auto offset = checked_add<u64>(header->e_phoff, i * sizeof(typename Elf::Program));
    const auto program = offset ? load<typename Elf::Program>(head, *offset) : std::nullopt;
    if (!program) return truncated("the program header table");
    if (program->p_type != PT_LOAD || program->p_memsz == 0) continue;
    const ElfSegment segment = TRY(check_segment(file_size, *program));
    image.segments.push_back(segment);
  }
  if (image.segments.empty()) return Error(ErrorCode::kCorrupt, "damaged: it has no segment to load");
  return image;
}
}  // namespace

bool looks_like_elf(Bytes file) { return file.size() >= SELFMAG && std::memcmp(file.data(), ELFMAG, SELFMAG) == 0; }

Result<ElfImage> parse_elf(Bytes head, u64 file_size) {
  if (!looks_like_elf(head)) return Error(ErrorCode::kCorrupt, "not an ELF file");
  return head.size() > EI_CLASS && head[EI_CLASS] == ELFCLASS32 ? parse<Elf32>(head, file_size)
                                                                : parse<Elf64>(head, file_size);
}

}  // namespace pileus::machine
