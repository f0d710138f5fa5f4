#include "machine/loader/bzimage.h"

#include <algorithm>

namespace pileus::machine {

namespace {
constexpr u64 kHeaderOffset = 0x1F1;
constexpr u64 kJumpOffset = 0x201;  // its second byte tells where the header ends: 0x202 + byte
constexpr u64 kMagicOffset = 0x202;
constexpr u32 kMagic = 0x53726448;  // "HdrS"
constexpr u64 kSector = 512;
constexpr u16 kFirstWithInitrdMax = 0x0203;
constexpr u16 kFirstWithCmdlineSize = 0x0206;
constexpr u16 kFirstWithPayload = 0x0208;

Error truncated(const char* what) {
  return {ErrorCode::kCorrupt, std::string("truncated: ") + what + " lies outside the file"};
}

// Where older protocols say nothing, boot.rst gives the value to assume.
void fill_defaults(setup_header& header) {
  if (header.setup_sects == 0) header.setup_sects = 4;
  if (header.version < kFirstWithInitrdMax) header.initrd_addr_max = 0x37FFFFFF;
  if (header.version < kFirstWithCmdlineSize) header.cmdline_size = 255;
}

// Before 2.08 nothing names the payload: it is searched by the magic of a method, as
// scripts/extract-vmlinux does.
std::optional<Bytes> find_payload(Bytes code) {
  constexpr std::array<std::array<u8, 4>, 5> kMagics{{{0x1F, 0x8B, 0x08, 0x00},
                                                      {0xFD, '7', 'z', 'X'},
                                                      {0x5D, 0, 0, 0},
                                                      {0x02, 0x21, 0x4C, 0x18},
                                                      {0x28, 0xB5, 0x2F, 0xFD}}};
  for (const auto& magic : kMagics) {
    const auto found = std::search(code.begin(), code.end(), magic.begin(), magic.end());
    if (found != code.end()) return code.subspan(static_cast<u64>(found - code.begin()));
  }
  return std::nullopt;
}
}  // namespace

bool looks_like_bzimage(Bytes file) { return load<u32>(file, kMagicOffset) == kMagic; }

Result<BzImage> parse_bzimage(Bytes file) {
  if (!looks_like_bzimage(file)) return Error(ErrorCode::kCorrupt, "not a bzImage");
  BzImage image{};
  const u64 length = kMagicOffset + *load<u8>(file, kJumpOffset) - kHeaderOffset;
  const auto header = slice(file, kHeaderOffset, std::min<u64>(length, sizeof image.header));
  if (!header) return truncated("the setup header");
  std::memcpy(&image.header, header->data(), header->size());
  if (image.header.version < kFirstWithCmdlineSize) {
    return Error(ErrorCode::kUnsupported, "its boot protocol is older than 2.06");
  }
  fill_defaults(image.header);

  const u64 code_offset = (u64{image.header.setup_sects} + 1) * kSector;
  if (code_offset >= file.size()) return truncated("the protected-mode code");
  const Bytes code = file.subspan(code_offset);
  const bool named = image.header.version >= kFirstWithPayload && image.header.payload_length != 0;
  const auto payload =
      named ? slice(code, image.header.payload_offset, image.header.payload_length) : find_payload(code);
  if (!payload && named) return truncated("the compressed kernel");
  if (!payload) {
    return Error(ErrorCode::kUnsupported,
                 "there is no compressed kernel in it, as in memtest86+ and iPXE: boot it from a disk or CD image with "
                 "--firmware bios");
  }
  image.payload = *payload;
  return image;
}

}  // namespace pileus::machine
