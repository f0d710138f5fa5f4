#include "ec2/groups.h"
#include "ec2/tags/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"CreateTags", Kind::kChanges, "ResourceId.N:s! Tag.N.Key:s Tag.N.Value:s", "Sets tags of objects.",
           create_tags},
    Action{"DeleteTags", Kind::kChanges, "ResourceId.N:s! Tag.N.Key:s Tag.N.Value:s",
           "Takes tags of objects away; all of them when none is named.", delete_tags},
    Action{"DescribeTags", Kind::kReads, PILEUS_PAGES, "Tells of the tags of all objects.", describe_tags},
};

}  // namespace

constexpr ActionGroup kTagActions = {"Tags", kActions};

}  // namespace pileus::ec2
