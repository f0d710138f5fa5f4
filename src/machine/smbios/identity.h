// SystemIdentity: what a computer says of itself, by which guests find out where they are.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/ints.h"

namespace pileus::machine {

// The bytes as they are written: "00112233-4455-6677-8899-aabbccddeeff" begins with 0x00, 0x11.
using Uuid = std::array<u8, 16>;
// Nothing when it has another form.
std::optional<Uuid> parse_uuid(std::string_view text);

struct SystemIdentity {
  std::string manufacturer{"Pileus"};
  std::string product{"Virtual Machine"};
  std::string serial;     // may be empty
  std::string asset_tag;  // of the board; may be empty
  std::string note;       // an OEM string; may be empty
  Uuid uuid{};            // all zero: there is none
};

// Whether a guest can be told this: at most 64 characters of printable ASCII.
bool is_smbios_text(std::string_view text);

}  // namespace pileus::machine
