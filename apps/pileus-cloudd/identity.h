// By what hosts know this cloud: its certificate authority. All cloud managers over one state store have the same: the first
// one makes it, the others find it in the store.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/cloud_certificates.h"
#include "state/store.h"

namespace pileus::cloudd {

// Reads or makes DATA/certificates, with the authority that the store has. `server_names`: at which hosts reach this manager.
// kPermission when DATA has the authority of another cloud.
Result<http::CloudCertificates> open_identity(state::Store& store, const std::filesystem::path& data,
                                              const std::vector<std::string>& server_names);

// What tells this manager from others over the same store; made at the first start, and kept in DATA/manager-name.
Result<std::string> open_name(const std::filesystem::path& data);

}  // namespace pileus::cloudd
