// What a cloud begins with: instance types, an account for its administrator, images.
#pragma once

#include <functional>

#include "client/settings.h"
#include "control/clock.h"
#include "image/library.h"
#include "state/store.h"

namespace pileus::cloudd {

// The table of types, if it is empty.
Result<> ensure_types(state::Store& store);

// The account 'root': its access key is written to `file` (docs/formats/client-settings.md) with where the API is. A later
// start finds the key there, and renews the rest; another manager of the same cloud finds it in the store.
Result<model::AccountId> ensure_root(state::Store& store, const control::Clock& clock,
                                     const std::filesystem::path& file, client::Settings settings, int tries = 1);

// Records of the images that the library has, owned by `root` and public, under ids that depend on their names only.
// Called again, it sees new ones, once they are `ready`, and those that are gone. How many there are.
Result<u32> publish_images(state::Store& store, const image::Library& library, const model::AccountId& root,
                           const std::function<bool(model::ImageId)>& ready);

}  // namespace pileus::cloudd
