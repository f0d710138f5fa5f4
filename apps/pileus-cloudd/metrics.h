// Counters for Prometheus.
#pragma once

#include "ec2/api.h"

namespace pileus::cloudd {

http::Response metrics_response(const ec2::Api& api);

}  // namespace pileus::cloudd
