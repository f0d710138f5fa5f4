#include "ec2/account/handlers.h"
#include "ec2/groups.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"DescribeAccountAttributes", Kind::kReads, "AttributeName.N:s", "Tells what the account may have.",
           describe_account_attributes},
    Action{"GetCallerIdentity", Kind::kReads, "", "Tells who asks (an action of STS).", get_caller_identity},
};

}  // namespace

constexpr ActionGroup kAccountActions = {"Account", kActions};

}  // namespace pileus::ec2
