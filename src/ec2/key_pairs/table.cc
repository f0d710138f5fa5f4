#include "ec2/groups.h"
#include "ec2/key_pairs/handlers.h"

namespace pileus::ec2 {
namespace {

constexpr Action kActions[] = {
    Action{"CreateKeyPair", Kind::kChanges, "KeyName:s! KeyType:s KeyFormat:s " PILEUS_TAGS,
           "Makes a key pair and hands out its private half, once.", create_key_pair},
    Action{"ImportKeyPair", Kind::kChanges, "KeyName:s! PublicKeyMaterial:d! " PILEUS_TAGS,
           "Takes the public half of a key pair.", import_key_pair},
    Action{"DeleteKeyPair", Kind::kChanges, "KeyName:s KeyPairId:s", "Forgets a key pair.", delete_key_pair},
    Action{"DescribeKeyPairs", Kind::kReads, "KeyName.N:s KeyPairId.N:s IncludePublicKey:b " PILEUS_FILTERS,
           "Tells of key pairs.", describe_key_pairs},
};

}  // namespace

constexpr ActionGroup kKeyPairActions = {"Key pairs", kActions};

}  // namespace pileus::ec2
