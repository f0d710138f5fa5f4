#include "ec2/groups.h"
#include "ec2/live/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"PileusOpenEvents", Kind::kReads, "",
           "Gives a path at which server-sent events tell of changes that the account may see.", pileus_open_events},
    Action{"PileusOpenConsole", Kind::kChanges, "InstanceId:s!",
           "Opens the serial console of an instance, and gives a path at which server-sent events have its output.",
           pileus_open_console},
    Action{"PileusSendConsoleInput", Kind::kChanges, "InstanceId:s! Data:d!",
           "Types on the serial console of an instance that somebody has open.", pileus_send_console_input},
    Action{"PileusGetMetrics", Kind::kReads, "InstanceId:s!",
           "Tells what an instance has used of its host during the last hour.", pileus_get_metrics},
};

}  // namespace

constexpr ActionGroup kLiveActions = {"Pileus' own: live", kActions};

}  // namespace pileus::ec2
