// What the tests of the server share.
#pragma once

#include <gtest/gtest.h>

#include <thread>

#include "http/client.h"
#include "http/server.h"
#include "http/testing/raw_client.h"

namespace pileus::http::testing {

inline std::unique_ptr<Server> serve(Handler handler, ServerOptions options = {}) {
  auto server = Server::start(std::move(options), std::move(handler));
  EXPECT_TRUE(server.ok()) << server.error().message();
  return std::move(server).value();
}

inline std::string url(const Server& server, const std::string& target) {
  return "http://127.0.0.1:" + std::to_string(server.port()) + target;
}

inline Response ask(Client& client, const Server& server, const std::string& target, const std::string& body = "") {
  ClientRequest request;
  request.url = url(server, target);
  request.method = body.empty() ? "GET" : "POST";
  request.body = body;
  auto response = client.send(request);
  EXPECT_TRUE(response.ok()) << response.error().message();
  return response.ok() ? std::move(response).value() : Response{0, {}, "", nullptr, nullptr};
}

class ServerTest : public ::testing::Test {
 protected:
  std::unique_ptr<Client> client_ = Client::create().value();
};

}  // namespace pileus::http::testing
