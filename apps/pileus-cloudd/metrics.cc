#include "metrics.h"

namespace pileus::cloudd {

// Source: Prometheus, "Text-based exposition format", version 0.0.4.
http::Response metrics_response(const ec2::Api& api) {
  struct Row {
    const char* name;
    const char* what;
    u64 value;
  };
  const ec2::Api::Counters& counters = api.counters();
  const Row rows[] = {
      {"pileus_api_requests_total", "Requests to the API.", counters.requests},
      {"pileus_api_refused_total", "Requests answered by an error of the client's.", counters.refused},
      {"pileus_api_failed_total", "Requests answered by an error of the cloud's.", counters.failed},
      {"pileus_api_throttled_total", "Requests refused because the account sends too many.", counters.throttled},
  };
  http::Response response;
  response.headers = {{"Content-Type", "text/plain; version=0.0.4"}};
  for (const Row& row : rows) {
    response.body.append("# HELP ").append(row.name).append(" ").append(row.what).append("\n# TYPE ");
    response.body.append(row.name).append(" counter\n").append(row.name).append(" ");
    response.body.append(std::to_string(row.value)).append("\n");
  }
  return response;
}

}  // namespace pileus::cloudd
