#include "host/identity.h"

#include "http/certificates.h"

namespace pileus::host {

vmm::SystemTexts system_of(const model::InstanceDesired& desired) {
  const std::string id = desired.id.text();
  const std::string digest = http::sha256_hex(id);
  // The form of a random UUID (RFC 4122, version 4), the same for the instance's whole life.
  const std::string uuid = "ec2" + digest.substr(0, 5) + "-" + digest.substr(5, 4) + "-4" + digest.substr(9, 3) + "-8" +
                           digest.substr(12, 3) + "-" + digest.substr(15, 12);
  vmm::SystemTexts system{
      .manufacturer = "Amazon EC2", .product = desired.type, .serial = uuid, .asset_tag = id, .note = {}, .uuid = uuid};
  if (desired.user_data.empty()) system.note = "pileus.user-data=none";
  return system;
}

}  // namespace pileus::host
