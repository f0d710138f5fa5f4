// decide(): which host takes a request, and why. A pure function of inventory, request and policy.
#pragma once

#include <array>

#include "placement/feasible.h"

namespace pileus::placement {

// Each is 0 (bad) to 1 (good), seen as if the instance were on the host already.
struct Scores {
  float pack = 0;    // little is left: 1 - L2 norm of the remaining fractions of processors and memory, over sqrt(2)
  float spread = 0;  // much is left: the smaller of those fractions
  float fit = 0;     // cosine between what is asked and what is free, as fractions: leaves no lopsided rests
  float image = 0;   // the image is there
  float total = 0;   // weighted
};

struct Policy {
  float pack = 1;
  float spread = 0;
  float fit = 0;
  float image = 0;
  // Chooses among this many best ones by `salt`, so that schedulers working side by side collide less. 1 to kMaxAmong.
  u32 among = 1;
  u64 salt = 0;
};
inline constexpr u32 kMaxAmong = 8;
inline constexpr Policy kPacking{1, 0, 0, 0.02F, 1, 0};
inline constexpr Policy kSpreading{0, 1, 0, 0.02F, 1, 0};
inline constexpr Policy kFitting{0.2F, 0, 1, 0.02F, 1, 0};

struct Refused {
  u32 hosts = 0;
  HostIndex example = kNoHost;
};

struct Candidate {
  HostIndex host = kNoHost;
  Scores scores;
};

struct Decision {
  Candidate chosen;  // host kNoHost: nothing fits
  Candidate runner_up;  // the best of the others; host kNoHost: there is none
  u32 partition = 0;  // of a partition group
  u32 feasible = 0;  // hosts that would do
  std::array<Refused, kRefusals> refused;  // by Refusal; of a partition group: for the partition tried last
  bool placed() const { return chosen.host != kNoHost; }
};

Decision decide(const Inventory& inventory, const Request& request, const Policy& policy);

// Lines for people: how many hosts each filter removed with an example, the choice, and how it compares with the next.
std::vector<std::string> explain(const Inventory& inventory, const Request& request, const Decision& decision);

// One sentence for InsufficientInstanceCapacity. Only of a decision that placed nothing. Names no host: owners of
// instances are not told of hosts.
std::string why_nothing(const Request& request, const Decision& decision);

}  // namespace pileus::placement
