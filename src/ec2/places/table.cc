#include "ec2/groups.h"
#include "ec2/places/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"DescribeRegions", Kind::kReads, "RegionName.N:s AllRegions:b " PILEUS_FILTERS,
           "Tells of the cloud's region.", describe_regions},
    Action{"DescribeAvailabilityZones", Kind::kReads, "ZoneName.N:s AllAvailabilityZones:b " PILEUS_FILTERS,
           "Tells of the zones of the region.", describe_availability_zones},
};

}  // namespace

constexpr ActionGroup kPlaceActions = {"Places", kActions};

}  // namespace pileus::ec2
