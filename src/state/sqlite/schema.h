// The tables of the store, and opening a connection to them. docs/formats/state-store.md describes them.
#pragma once

#include <filesystem>

#include "state/sqlite/database.h"
#include "state/store.h"

namespace pileus::state::sqlite {

// A row of `log` is known by revision and place within it: id = revision << kPlaceBits | place.
inline constexpr unsigned kPlaceBits = 20;
inline constexpr u64 kMaxPlaces = u64{1} << kPlaceBits;
constexpr u64 first_id(Revision revision) { return revision << kPlaceBits; }
constexpr Revision revision_of(u64 id) { return id >> kPlaceBits; }

// What a range ends with in SQL when it has no bound: longer and greater than any key.
std::string_view upper_bound(const KeyRange& range);

// The one connection that writes; makes the tables in a new file. kCorrupt or kUnsupported for files of somebody else.
Result<Database> open_for_writing(const std::filesystem::path& file);
Result<Database> open_for_reading(const std::filesystem::path& file);

}  // namespace pileus::state::sqlite
