// cast_aligned: a typed view of raw memory that the caller knows to be aligned for the type.
#pragma once

#include "base/ints.h"

namespace pileus {

template <typename T>
T* cast_aligned(u8* bytes) {
  return static_cast<T*>(static_cast<void*>(bytes));
}

}  // namespace pileus
