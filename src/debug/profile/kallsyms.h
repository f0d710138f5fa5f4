// The guest kernel's own names for its functions, read out of its memory: the tables that Linux keeps for /proc/kallsyms
// (kernel/kallsyms.c). No file of the guest's is needed, and no help from it.
//
// What is looked for, in this order in memory (6.1; from 6.4 on the offsets are behind the token index):
//
//   offsets        i32[n]      addresses: from 0 up as they are, below 0: relative_base - 1 - offset
//   relative_base  u64
//   n              u32
//   names          n times: length (ULEB128), then as many token numbers; the first character of all is the type
//   markers        u32[(n + 255) / 256]   where each 256th name is
//   order          u8[n][3]    the names sorted; only since 6.2 and in some stable kernels before; behind all since 6.4
//   token_table    256 strings, one after another
//   token_index    u16[256]    where each token is
//
// Each is 8-byte aligned. The token table is found by its tokens '0' to '9', which are themselves; all else follows.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "guest/memory.h"

namespace pileus::debug {

struct Symbol {
  u64 address = 0;
  std::string name;
};

class SymbolTable {
 public:
  SymbolTable() = default;
  explicit SymbolTable(std::vector<Symbol> symbols);  // in any order
  // The name of the function that `address` is in; empty when it is in none that is known.
  std::string_view find(u64 address) const;
  const std::vector<Symbol>& symbols() const { return symbols_; }

 private:
  std::vector<Symbol> symbols_;  // by address
};

// The functions of the kernel whose tables are in `image`, a stretch of physical memory. Nothing when there are none.
std::optional<SymbolTable> parse_kallsyms(std::span<const u8> image);

// The same, looked for in all of a guest's RAM.
SymbolTable find_kernel_symbols(const guest::GuestMemory& memory);

}  // namespace pileus::debug
