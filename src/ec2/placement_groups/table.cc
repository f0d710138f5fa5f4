#include "ec2/groups.h"
#include "ec2/placement_groups/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"CreatePlacementGroup", Kind::kChanges,
           "GroupName:s! Strategy:s SpreadLevel:s PartitionCount:i " PILEUS_TAGS,
           "Makes a placement group: instances near to each other, apart, or in parts that are apart.",
           create_placement_group},
    Action{"DeletePlacementGroup", Kind::kChanges, "GroupName:s!", "Deletes a placement group in which no instance is.",
           delete_placement_group},
    Action{"DescribePlacementGroups", Kind::kReads, "GroupName.N:s GroupId.N:s " PILEUS_FILTERS,
           "Tells of placement groups.", describe_placement_groups},
};

}  // namespace

constexpr ActionGroup kPlacementGroupActions = {"Placement groups", kActions};

}  // namespace pileus::ec2
