// TransferController: gives transfers to hosts, and ends those that nobody can carry out.
//
//   - One that no host has is given to a ready host: to the one it names, or to one that has the disk to be exported, or
//     to the one with the fewest.
//   - One whose host cannot be reached goes to another, unless it names its host. What was done is done again there.
//   - One that is cancelled, or names a host that was removed, has failed.
//   - One that has ended is forgotten a week later.
#pragma once

#include "control/controller.h"
#include "control/shared_view.h"

namespace pileus::control {

inline constexpr model::Millis kTransferLife = 7ULL * 24 * 3600 * 1000;

class TransferController : public Controller {
 public:
  TransferController(state::Store& store, const Clock& clock, std::shared_ptr<SharedView> view = nullptr)
      : store_(store), clock_(clock), view_(view_or_own(std::move(view), store)) {}
  Result<u32> run_once() override;

 private:
  struct Plan {
    TransferView transfer;
    bool forget = false;
    std::string failure;  // empty: none
    model::HostId host;  // that it is to be given to; may be none
    std::string waits;  // why it is given to none
  };
  std::vector<Plan> plans(const View& view) const;
  Result<bool> act(const Plan& plan);
  Result<bool> place(const TransferView& transfer, model::HostId host);
  Result<bool> say(const TransferView& transfer, const std::string& message);

  state::Store& store_;
  const Clock& clock_;
  const std::shared_ptr<SharedView> view_;
};

}  // namespace pileus::control
