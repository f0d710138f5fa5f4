// Places: where a block's host code depends on where it lies or on this process, noted while it is emitted.
//
// Everything else in the code of a block is the same wherever it stands: guest registers are registers, the vCPU's state is
// at GS, and RIP comes out of Context::vpage. So code that is copied elsewhere needs these places made anew, no more.
#pragma once

#include <array>

#include "base/ints.h"

namespace pileus::engine::bt::stored {

enum class Place : u8 {
  kDisplacement,  // 4 bytes: how far it is to a stub, or to somewhere in the block
  kBlock,  // 4 bytes: CodeCache::reference() of the block
  kInsn,  // 8 bytes: address of the decoded instruction, behind a Site whose value is its index
  kHandler,  // 8 bytes: address of that instruction's handler, behind kInsn
};

struct Places {
  struct Note {
    const u8* at;
    Place place;
  };
  void note(const u8* at, Place place) {
    if (count < notes.size()) notes[count] = {at, place};
    ++count;
  }
  bool complete() const { return count <= notes.size(); }

  std::array<Note, 512> notes;
  unsigned count = 0;
};

}  // namespace pileus::engine::bt::stored
