// By what hosts know this cloud: its certificate authority and its join token. All cloud managers over one state store have
// the same: the first one makes them, the others find them in the store.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "http/cloud_certificates.h"
#include "state/store.h"

namespace pileus::cloudd {

struct CloudIdentity {
  http::CloudCertificates certificates;
  http::JoinToken token;
};

// Reads or makes DATA/certificates and DATA/join-token, the same as the store has. `server_names`: at which hosts reach this
// manager. kPermission when DATA has the authority of another cloud.
Result<CloudIdentity> open_identity(state::Store& store, const std::filesystem::path& data,
                                    const std::vector<std::string>& server_names);

// What tells this manager from others over the same store; made at the first start, and kept in DATA/manager-name.
Result<std::string> open_name(const std::filesystem::path& data);

}  // namespace pileus::cloudd
