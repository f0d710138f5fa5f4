// Smoke: each target, in a child process of its own, over its fixed series of inputs for a short time.
#pragma once

#include <chrono>
#include <span>

#include "target.h"

namespace pileus::fuzz {

// True when the target survived. Says on standard output how many inputs it took, or which one killed it or hung
// (more than ten seconds on one input).
bool smoke(const Target& target, std::chrono::milliseconds duration);

}  // namespace pileus::fuzz
