// A controller compares what is desired with what is and acts on the difference. run_once() does so for everything that
// it finds now, and returns how much it changed; an error or a kill in the middle costs nothing but another run. Any
// number of the same controller may run at the same time.
#pragma once

#include "control/clock.h"
#include "control/records.h"

namespace pileus::control {

class Controller {
 public:
  virtual ~Controller() = default;
  virtual Result<u32> run_once() = 0;
};

}  // namespace pileus::control
