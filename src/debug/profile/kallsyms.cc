#include "debug/profile/kallsyms.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

namespace pileus::debug {

namespace {

constexpr std::size_t kTokens = 256, kNamesPerMarker = 256, kAlignment = 8;
constexpr std::size_t kSequence = 3;  // bytes of a name's place in the order by name
constexpr std::size_t kMaxSymbols = 1'000'000, kMaxName = 1024;
// A guest may make tables that cost much to read.
constexpr unsigned kMaxTables = 16, kMaxMarkers = 64;  // that are tried
constexpr std::size_t kMaxExpanded = 512, kMaxText = 64 * kMiB;  // bytes of one name, of all
constexpr std::size_t kMaxTokenTable = 8 * kKiB;  // most tokens have two or three letters
constexpr u64 kKernelHalf = u64{1} << 63;

using Bytes = std::span<const u8>;

template <typename T>
std::optional<T> load(Bytes image, std::size_t at) {
  if (at > image.size() || sizeof(T) > image.size() - at) return {};
  T value{};
  std::memcpy(&value, image.data() + at, sizeof value);
  return value;
}

std::size_t up(std::size_t at) { return (at + kAlignment - 1) / kAlignment * kAlignment; }

struct Tokens {
  std::size_t table = 0, end = 0;  // places; `end` is behind the index
  std::array<std::string_view, kTokens> text;
};

// The token table that starts at `start`, if it and the index behind it agree.
std::optional<Tokens> tokens_at(Bytes image, std::size_t start) {
  Tokens tokens;
  tokens.table = start;
  std::array<u16, kTokens> places{};
  std::size_t at = start;
  for (std::size_t i = 0; i < kTokens; ++i) {
    places[i] = static_cast<u16>(at - start);
    std::size_t length = 0;
    while (at + length < image.size() && image[at + length] != 0) ++length;
    tokens.text[i] = {reinterpret_cast<const char*>(image.data() + at), length};
    at += length + 1;
    if (at - start > kMaxTokenTable) return {};
  }
  const std::size_t index = up(at);
  for (std::size_t i = 0; i < kTokens; ++i) {
    if (load<u16>(image, index + 2 * i) != places[i]) return {};
  }
  tokens.end = index + 2 * kTokens;
  return tokens;
}

// The one whose token '0' is at `zero`.
std::optional<Tokens> tokens_around(Bytes image, std::size_t zero) {
  // Back over the tokens before it, each ended by a zero, to the second one.
  std::size_t start = zero;
  for (unsigned i = 1; i < '0'; ++i) {
    if (start == 0) return {};
    --start;  // its zero
    while (start > 0 && image[start - 1] != 0) --start;
    if (zero - start > kMaxTokenTable) return {};
  }
  // What is before the first one need not be a zero, but it is aligned.
  constexpr unsigned kTries = 8;
  std::size_t first = start / kAlignment * kAlignment;
  for (unsigned i = 0; i < kTries && first >= kAlignment; ++i, first -= kAlignment) {
    if (auto tokens = tokens_at(image, first)) return tokens;
  }
  return {};
}

// Where the markers start, which end at `end`: they grow from zero.
std::optional<std::size_t> markers_before(Bytes image, std::size_t end) {
  std::size_t at = end;
  if (at >= 4 && load<u32>(image, at - 4) == 0) at -= 4;  // alignment
  u32 behind = ~u32{0};
  while (at >= 4) {
    at -= 4;
    const u32 value = *load<u32>(image, at);
    if (value == 0) return end - at >= 8 ? std::optional(at) : std::nullopt;
    if (value >= behind || (end - at) / 4 > kMaxSymbols / kNamesPerMarker) return {};
    behind = value;
  }
  return {};
}

// One name's place and length, and where the next one is.
struct Name {
  std::size_t at = 0, length = 0;
  std::size_t next() const { return at + length; }
};
std::optional<Name> name_at(Bytes image, std::size_t at) {
  const auto low = load<u8>(image, at);
  if (!low) return {};
  Name name{at + 1, *low};
  if ((*low & 0x80) != 0) {
    const auto high = load<u8>(image, at + 1);
    if (!high) return {};
    name = {at + 2, static_cast<std::size_t>((*low & 0x7F) | *high << 7)};
  }
  if (name.length == 0 || name.length > kMaxName || name.next() > image.size()) return {};
  return name;
}

std::size_t names_end(Bytes image, std::size_t from, std::size_t count) {
  for (; count > 0; --count) {
    const auto name = name_at(image, from);
    if (!name) return 0;
    from = name->next();
  }
  return from;
}

struct Names {
  std::size_t count_at = 0, start = 0, count = 0;
};

// The names end where the markers start, but for alignment, and the last marker is where one of them is.
std::optional<Names> names_before(Bytes image, std::size_t markers, std::size_t end) {
  std::size_t marker_count = (end - markers) / 4;
  while (marker_count > 1 && load<u32>(image, markers + 4 * (marker_count - 1)) == 0) --marker_count;
  const std::size_t last = *load<u32>(image, markers + 4 * (marker_count - 1));
  const std::size_t second = marker_count > 1 ? *load<u32>(image, markers + 4) : 0;
  if (last + kAlignment > markers) return {};
  const std::size_t latest = (markers - last) / kAlignment * kAlignment;
  const std::size_t farthest = kNamesPerMarker * kMaxName;
  for (std::size_t start = latest; start >= kAlignment && latest - start <= farthest; start -= kAlignment) {
    const std::size_t count = *load<u32>(image, start - kAlignment);
    if (count <= (marker_count - 1) * kNamesPerMarker || count > marker_count * kNamesPerMarker) continue;
    if (marker_count > 1 && names_end(image, start, kNamesPerMarker) != start + second) continue;
    const std::size_t names = names_end(image, start + last, count - (marker_count - 1) * kNamesPerMarker);
    if (names != 0 && up(names) == markers) return Names{start - kAlignment, start, count};
  }
  return {};
}

// Before the token table are the markers or, in kernels since 6.2 and some before, three bytes for each name: their
// order by name.
std::optional<Names> find_names(Bytes image, std::size_t end) {
  if (const auto markers = markers_before(image, end)) {
    if (const auto names = names_before(image, *markers, end)) return names;
  }
  unsigned tried = 0;
  for (std::size_t at = end; at >= 2 * kAlignment && end - at <= kSequence * kMaxSymbols; at -= kAlignment) {
    const auto markers = markers_before(image, at);
    if (!markers) continue;
    // There is one marker for 256 names, and perhaps half a word for alignment.
    const std::size_t most = (at - *markers) / sizeof(u32) * kNamesPerMarker;
    if (end - at > kSequence * most + kAlignment || end - at + kSequence * 2 * kNamesPerMarker < kSequence * most)
      continue;
    if (++tried > kMaxMarkers) break;
    const auto names = names_before(image, *markers, at);
    if (names && up(kSequence * names->count) == end - at) return names;
  }
  return {};
}

std::string expand(Bytes image, const Name& name, const Tokens& tokens) {
  std::string text;
  for (const u8 token : image.subspan(name.at, name.length)) {
    text += tokens.text[token].substr(0, kMaxExpanded - text.size());
  }
  return text;
}

// The addresses, wherever they are: those of a kernel are in its half and, but for those of the per-CPU area, in order.
struct Addresses {
  std::size_t offsets = 0;
  u64 base = 0;
  u64 of(Bytes image, std::size_t number) const {
    const i64 offset = *load<i32>(image, offsets + 4 * number);
    return offset >= 0 ? static_cast<u64>(offset) : base - 1 - static_cast<u64>(offset);
  }
};

bool is_base(u64 base) { return (base & kKernelHalf) != 0 && base % 4096 == 0; }

std::optional<Addresses> addresses_at(Bytes image, std::size_t offsets, std::size_t base_at, std::size_t count) {
  const auto base = load<u64>(image, base_at);
  if (!base || !is_base(*base) || offsets + 4 * count > image.size()) return {};
  return Addresses{offsets, *base};
}

std::optional<Addresses> find_addresses(Bytes image, const Names& names, const Tokens& tokens) {
  const std::size_t bytes = up(4 * names.count);
  if (names.count_at >= kAlignment + bytes) {
    const std::size_t base = names.count_at - kAlignment;
    if (const auto found = addresses_at(image, base - bytes, base, names.count)) return found;
  }
  const std::size_t offsets = up(tokens.end);
  return addresses_at(image, offsets, offsets + bytes, names.count);
}

bool is_function(char type) { return type == 't' || type == 'T' || type == 'w' || type == 'W'; }

std::optional<SymbolTable> parse_around(Bytes image, const Tokens& tokens) {
  const auto names = find_names(image, tokens.table);
  if (!names || names->count > kMaxSymbols) return {};
  const auto addresses = find_addresses(image, *names, tokens);
  if (!addresses) return {};
  std::vector<Symbol> symbols;
  std::size_t at = names->start, bytes = 0;
  for (std::size_t i = 0; i < names->count; ++i) {
    const auto name = name_at(image, at);
    if (!name) return {};
    at = name->next();
    const u64 address = addresses->of(image, i);
    std::string text = expand(image, *name, tokens);
    if ((address & kKernelHalf) == 0 || text.size() < 2 || !is_function(text[0])) continue;
    bytes += text.size();
    if (bytes > kMaxText) return {};
    symbols.push_back({address, text.substr(1)});
  }
  return SymbolTable(std::move(symbols));
}

}  // namespace

SymbolTable::SymbolTable(std::vector<Symbol> symbols) : symbols_(std::move(symbols)) {
  std::ranges::stable_sort(symbols_, {}, &Symbol::address);
}

std::string_view SymbolTable::find(u64 address) const {
  const auto behind = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  if (behind == symbols_.begin()) return {};
  // Of several names for one address, the first.
  const u64 start = std::prev(behind)->address;
  if (behind == symbols_.end() && address - start >= 4096) return {};  // modules, and what is no function
  return std::ranges::lower_bound(symbols_, start, {}, &Symbol::address)->name;
}

std::optional<SymbolTable> parse_kallsyms(std::span<const u8> image) {
  constexpr std::string_view kDigits("0\0001\0002\0003\0004\0005\0006\0007\0008\0009\0", 20);
  unsigned tried = 0;
  for (std::size_t from = 0; from < image.size();) {
    const void* found = ::memmem(image.data() + from, image.size() - from, kDigits.data(), kDigits.size());
    if (found == nullptr) break;
    const auto zero = static_cast<std::size_t>(static_cast<const u8*>(found) - image.data());
    if (const auto tokens = tokens_around(image, zero)) {
      if (auto table = parse_around(image, *tokens)) return table;
      if (++tried == kMaxTables) break;
    }
    from = zero + 1;
  }
  return {};
}

// Reading memory that the guest has never touched would allocate it, so only what its file has is looked at.
SymbolTable find_kernel_symbols(const guest::GuestMemory& memory) {
  for (const guest::GuestMemory::Region& region : memory.regions()) {
    const auto start = static_cast<off_t>(memory.file_offset(region.host));
    const auto end = start + static_cast<off_t>(region.size);
    for (off_t data = ::lseek(memory.fd(), start, SEEK_DATA); data >= 0 && data < end;) {
      const off_t hole = std::min(::lseek(memory.fd(), data, SEEK_HOLE), end);
      if (hole <= data) break;
      const Bytes image(region.host + (data - start), static_cast<std::size_t>(hole - data));
      if (auto table = parse_kallsyms(image)) return std::move(*table);
      data = ::lseek(memory.fd(), hole, SEEK_DATA);
    }
  }
  return {};
}

}  // namespace pileus::debug
