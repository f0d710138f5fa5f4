// Mirror: a store whose present is in memory, kept there by watching it. What is read as it is now costs no call of the
// store, and any number of watches through the mirror cost the store one. All else goes through.
//
// What it promises, where it differs from store.h:
//   - A read or a watch through the mirror sees all that was committed through it before, and all that the store has told.
//     What somebody else has committed elsewhere comes a moment later; a transaction that fails for that is answered
//     after which reads see why.
//   - While the store cannot be reached, what is known goes on being read. Changes are refused, so nothing is built on it.
//     Once it is not known what became of one, reads are refused too, after two seconds; watches tell what is known.
//
// It holds every key: for stores that fit into memory. It keeps the latest events, some megabytes, for watches; one that
// asks for older ones, or has fallen behind, reads them from the store until it has caught up.
#pragma once

#include <memory>

#include "state/store.h"

namespace pileus::state {

struct MirrorOptions {
  std::chrono::milliseconds patience{10000};  // of a read that waits for what was committed before it
  std::size_t history = 8 * kMiB;  // bytes of events that are kept for watches
};

// Reads everything. The mirror owns the store; it must outlive its watches.
Result<std::unique_ptr<Store>> open_mirror(std::unique_ptr<Store> store, const MirrorOptions& options = {});

}  // namespace pileus::state
