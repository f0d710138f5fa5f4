#include "ec2/groups.h"
#include "ec2/instance_types/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"DescribeInstanceTypes", Kind::kReads, "InstanceType.N:s " PILEUS_PAGES,
           "Tells of the types that instances can be of.", describe_instance_types},
    Action{"DescribeInstanceTypeOfferings", Kind::kReads, "LocationType:s " PILEUS_PAGES,
           "Tells where types are offered.", describe_instance_type_offerings},
};

}  // namespace

constexpr ActionGroup kInstanceTypeActions = {"Instance types", kActions};

}  // namespace pileus::ec2
