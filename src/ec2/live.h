// Live: what the API offers of the present besides its records: streams of changes, serial consoles, what instances use.
// Somebody else has it; the API decides who may.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/usage_log.h"
#include "model/account.h"
#include "model/instance.h"

namespace pileus::ec2 {

class Live {
 public:
  virtual ~Live() = default;

  // A path at which the events can be read, once, soon: whoever knows it may. Of changes that the account may see.
  virtual Result<std::string> open_changes(const model::Account& account) = 0;
  // Of what the instance writes on its serial console. kExhausted.
  virtual Result<std::string> open_console(const model::InstancePlaced& placed) = 0;
  // Types on a console that is open. kNotFound, kExhausted.
  virtual Result<> type(model::InstanceId id, std::string_view data) = 0;
  virtual std::vector<control::UsageSample> usage(model::InstanceId id) = 0;
};

}  // namespace pileus::ec2
