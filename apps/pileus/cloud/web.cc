// web: a link that signs in to the web console.
#include "cloud/web.h"

#include <cstdio>

#include "cloud/commands.h"
#include "cloud/session.h"
#include "http/client.h"
#include "http/uri.h"

namespace pileus::cli {
namespace {

constexpr std::chrono::seconds kPatience{5};

}  // namespace

std::string console_address(const client::Settings& settings) {
  http::ClientOptions options;
  options.ca = settings.ca;
  const Result<std::unique_ptr<http::Client>> client = http::Client::create(options);
  if (!client) return {};
  http::ClientRequest request;
  request.url = settings.endpoint.substr(0, settings.endpoint.find_last_not_of('/') + 1) + "/console/";
  request.timeout = kPatience;
  const Result<http::Response> response = (*client)->send(request);
  return response && response->status == 200 ? request.url : std::string();
}

Result<int> cloud_web(image::Library& library, const CommandLine&) {
  const client::Settings settings = TRY(client::find_settings(client_settings_file(library)));
  const std::string address = console_address(settings);
  if (address.empty()) {
    return Error(ErrorCode::kNotFound, "no web console at " + settings.endpoint +
                                           ": is the cloud up, and its console built (docs/console.md)?");
  }
  // Behind the '#': browsers send that to nobody, and the page takes it out of the address at once.
  std::printf("%s#/sign-in?key=%s&secret=%s\n", address.c_str(), http::encode_uri(settings.access_key).c_str(),
              http::encode_uri(settings.secret_key).c_str());
  return 0;
}

}  // namespace pileus::cli
