// Volumes are not encrypted, and say so.
#include "ec2/volumes/handlers.h"

namespace pileus::ec2 {

Reply<> get_ebs_encryption_by_default(Call&, pugi::xml_node answer) {
  add_flag(answer, "ebsEncryptionByDefault", false);
  return {};
}

Reply<> enable_ebs_encryption_by_default(Call&, pugi::xml_node) {
  return ApiError("UnsupportedOperation", "Volumes are not encrypted here: encrypt inside the guest");
}

Reply<> disable_ebs_encryption_by_default(Call& call, pugi::xml_node answer) {
  return get_ebs_encryption_by_default(call, answer);
}

}  // namespace pileus::ec2
