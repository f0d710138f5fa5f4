// LayerFolder: the layers that a host has, by their ids.
//
//   ID.raw, ID.overlay   a layer; read-only, shared with disks and images by hard links
//   ID.manifest          what it holds (manifest.h); there only when the layer is there, whole and durable
//   ID.part, ID.want     a layer that is being received (layer_draft.h), and its manifest
//
// Threads: one at a time may change it; open() and has() may be called by any.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "store/chain.h"
#include "store/layer_draft.h"
#include "store/manifest.h"

namespace pileus::store {

class LayerFolder {
 public:
  // Makes the folder.
  static Result<LayerFolder> open(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  bool has(const std::string& id) const;
  std::set<std::string> ids() const;
  // As a disk's chain names it. kNotFound.
  Result<Layer> layer(const std::string& id) const;
  Result<Manifest> manifest(const std::string& id) const;
  Result<std::string> encoded_manifest(const std::string& id) const;

  // The layer that this very file is, by whatever name.
  std::optional<std::string> id_of_file(const std::filesystem::path& file) const;
  // Takes a layer in that lies elsewhere on this file system, and gives its id; its file is never written again.
  Result<std::string> adopt(const std::filesystem::path& file, bool raw, const Progress& progress);
  // Begins or continues to receive a layer.
  Result<LayerDraft> receive(const std::string& id, const std::string& encoded_manifest) const;
  // The manifest of a draft, so that it need not be asked for again.
  std::optional<std::string> wanted_manifest(const std::string& id) const;
  // The draft is finished: it is a layer now.
  Result<> accept(const std::string& id) const;
  // When it came here, or was adopted again for the last time: whoever did that is about to need it.
  std::filesystem::file_time_type since(const std::string& id) const;
  // Disks that are made of it keep it.
  Result<> remove(const std::string& id) const;

 private:
  explicit LayerFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path file(const std::string& id, const char* suffix) const { return path_ / (id + suffix); }
  static const char* suffix_of(bool raw) { return raw ? ".raw" : ".overlay"; }

  std::filesystem::path path_;
};

}  // namespace pileus::store
