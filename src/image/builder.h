// Building an image from a recipe, without privileges where the host lets users have their own
// namespaces.
#pragma once

#include <atomic>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "image/library.h"
#include "image/recipe.h"

namespace pileus::image {

// Told what is being done and how much of all is done, 0 to 1; and, with an empty text, a few times
// a second that time passes.
using Progress = std::function<void(std::string_view what, double fraction)>;

struct BuildOptions {
  std::string name;   // of the image; usually the recipe's
  bool allow_expired = false;  // takes package indexes whose date of expiry has passed
  Progress progress;  // may be empty
  const std::atomic<bool>* cancelled = nullptr;  // set by a signal handler: the build cleans up and gives up
};

// Puts the finished image into the library, as one step. Gives it back at once when it is there
// already; waits for another build of the same name. On failure nothing is left but a log, which
// the error names.
Result<ImageInfo> build(Library& library, const Recipe& recipe, const BuildOptions& options);

}  // namespace pileus::image
