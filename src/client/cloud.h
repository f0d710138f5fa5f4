// Cloud: calls actions of the EC2-compatible API of a cloud.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "client/answer.h"
#include "client/settings.h"
#include "http/client.h"

namespace pileus::client {

// By names on the wire: {"InstanceId.1", "i-..."}.
using Parameters = std::map<std::string, std::string>;

class Cloud {
 public:
  static Result<Cloud> connect(Settings settings);

  // The answer or the refusal; of too many requests only after some tries. Errors are those of http::Client: no connection,
  // no answer.
  Result<Answer> ask(const std::string& action, const Parameters& parameters) const;
  // As ask(), and a refusal is an error: "CODE: MESSAGE". Codes ".NotFound" are kNotFound, those of permission
  // kPermission, others kInvalid; a cloud that could not is kExhausted or kIo.
  Result<Answer> call(const std::string& action, const Parameters& parameters) const;
  // call() for all pages, one after the other.
  Result<std::vector<Answer>> pages(const std::string& action, Parameters parameters) const;

  const Settings& settings() const { return settings_; }

 private:
  Result<Answer> ask_once(const std::string& action, const Parameters& parameters) const;

  explicit Cloud(Settings settings) : settings_(std::move(settings)) {}
  Settings settings_;
  std::unique_ptr<http::Client> http_;
};

// application/x-www-form-urlencoded
std::string encode_form(const Parameters& parameters);

}  // namespace pileus::client
