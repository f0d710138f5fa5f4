// Library: the folder where this user's images, keys and VMs are kept.
//
//   images/NAME/disk.raw, image.json   an image; complete or not there at all
//   images/.NAME.*                     an image being built, or what a killed build left
//   keys/id_ed25519[.pub]              the key pair used when the user names none
//   vms/NAME/                          one VM (see vmm/vm_directory.h)
//   cache/translations/IMAGE/MODEL     translated code of an image's VMs; may go at any time
//   disks/NAME/                        a disk that VMs may be given (see store/disk_folder.h)
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/ints.h"
#include "base/result.h"
#include "os/file.h"

namespace pileus::image {

// What is known of an image; image.json.
struct ImageInfo {
  std::string name;
  std::string description;
  std::string login_user;             // who logs in over SSH
  std::string created;                // RFC 3339, UTC
  std::string root_uuid;              // of the root file system
  u64 disk_bytes = 0;                 // size of the disk as the guest sees it
  std::vector<std::string> packages;  // "name version", sorted
};
std::string encode_image_info(const ImageInfo& info);
Result<ImageInfo> parse_image_info(std::string_view text);

// An image's or a VM's name: 1 to 63 lower-case letters, digits, '-' and '.', beginning with a
// letter or digit. So it is also a host name and never a path.
Result<> check_name(std::string_view name);

// Root's library, and that of the Debian package's services.
inline constexpr const char* kSystemFolder = "/var/lib/pileus";

class Library {
 public:
  // $PILEUS_HOME; else /var/lib/pileus for root and ~/.local/share/pileus for others. Makes the
  // folder.
  static Result<Library> open_default();
  static Result<Library> open(const std::filesystem::path& root);

  const std::filesystem::path& root() const { return root_; }
  // Whether it is the one of the Debian package's services, which run as a user of their own.
  bool is_of_services() const;
  std::filesystem::path images() const { return root_ / "images"; }
  std::filesystem::path vms() const { return root_ / "vms"; }
  std::filesystem::path disks() const { return root_ / "disks"; }
  std::filesystem::path keys() const { return root_ / "keys"; }
  // Where VMs of an image with one model of processor keep translated code.
  std::filesystem::path translations_of(const std::string& image, const std::string& cpu_model) const {
    return root_ / "cache" / "translations" / image / cpu_model;
  }
  std::filesystem::path disk_of(const std::string& image) const { return images() / image / "disk.raw"; }

  // All complete images, by name.
  std::vector<ImageInfo> list() const;
  // kNotFound when there is no such image.
  Result<ImageInfo> find(const std::string& name) const;
  // What an image takes on this disk.
  u64 allocated_bytes(const std::string& name) const;
  // The caller has made sure that no VM uses it.
  Result<> remove(const std::string& name);

  // The private key file of our own key pair, made when missing.
  Result<std::filesystem::path> own_key();

 private:
  explicit Library(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

}  // namespace pileus::image
