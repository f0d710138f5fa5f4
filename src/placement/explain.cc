#include <fmt/format.h>

#include <algorithm>

#include "placement/choice.h"
#include "placement/decide.h"

namespace pileus::placement {
namespace {

constexpr std::string_view kChosen = "chosen ";

// The reason as the end of "N hosts ...", and what `example` shows of it.
std::string reason(Refusal refusal, const Request& request) {
  const model::Resources& takes = request.takes;
  switch (refusal) {
    case Refusal::kNone:
    case Refusal::kGone: return "no longer belong to the cloud";
    case Refusal::kUnreachable: return "cannot be reached";
    case Refusal::kMaintenance: return "are in maintenance";
    case Refusal::kFull: return "have hardly any room left on their disks";
    case Refusal::kOtherHost: return "are not the host that was asked for";
    case Refusal::kSameHost: return "have it now";
    case Refusal::kZone: return fmt::format("are not in zone {}", request.zone);
    case Refusal::kEngine: return fmt::format("lack engine {}", request.engine);
    case Refusal::kCpuModel: return fmt::format("lack CPU model {}", request.cpu_model);
    case Refusal::kImage: return "lack the image, which no host gives to others";
    case Refusal::kLayers: return "lack what its disks begin as, which no host that can be reached gives to others";
    case Refusal::kVcpus: return fmt::format("have fewer than {} vCPUs free", takes.vcpus);
    case Refusal::kMemory: return fmt::format("have less than {} MiB of memory free", takes.memory_mib);
    case Refusal::kDisk: return fmt::format("have less than {} GiB of disk free", takes.disk_gib);
    case Refusal::kGroup:
      return fmt::format("are ruled out by the {} placement group",
                         request.group ? model::name(request.group->strategy) : "");
  }
  return {};
}

std::string example(Refusal refusal, const Inventory& inventory, HostIndex host) {
  std::string id = inventory.id(host).text();
  switch (refusal) {
    case Refusal::kVcpus: return fmt::format("{} has {}", id, inventory.free_vcpus(host));
    case Refusal::kMemory: return fmt::format("{} has {} MiB", id, inventory.free_memory_mib(host));
    case Refusal::kDisk: return fmt::format("{} has {} GiB", id, inventory.free_disk_gib(host));
    case Refusal::kZone: return fmt::format("{} is in '{}'", id, inventory.labels().text(inventory.zone(host)));
    case Refusal::kNone:
    case Refusal::kGone:
    case Refusal::kUnreachable:
    case Refusal::kMaintenance:
    case Refusal::kFull:
    case Refusal::kOtherHost:
    case Refusal::kSameHost:
    case Refusal::kEngine:
    case Refusal::kCpuModel:
    case Refusal::kImage:
    case Refusal::kLayers:
    case Refusal::kGroup: return id;
  }
  return id;
}

std::string describe(const Candidate& candidate, const Inventory& inventory) {
  const Scores& scores = candidate.scores;
  return fmt::format("{}: score {:.4f} (pack {:.4f}, spread {:.4f}, fit {:.4f}, image {:.0f})",
                     inventory.id(candidate.host).text(), scores.total, scores.pack, scores.spread, scores.fit,
                     scores.image);
}

// Calls visit(refusal, refused) for each filter that removed hosts of the cloud.
template <typename Visit>
void each_refusal(const Decision& decision, Visit visit) {
  for (std::size_t i = static_cast<std::size_t>(Refusal::kGone) + 1; i < kRefusals; i++) {
    if (decision.refused[i].hosts > 0) visit(static_cast<Refusal>(i), decision.refused[i]);
  }
}

}  // namespace

std::vector<std::string> explain(const Inventory& inventory, const Request& request, const Decision& decision) {
  std::vector<std::string> lines;
  each_refusal(decision, [&](Refusal refusal, const Refused& refused) {
    lines.push_back(fmt::format("{} hosts {}, e.g. {}", refused.hosts, reason(refusal, request),
                                example(refusal, inventory, refused.example)));
  });
  if (!decision.placed()) {
    lines.emplace_back("no host fits");
    return lines;
  }
  lines.push_back(fmt::format("{} hosts would do", decision.feasible));
  if (decision.partition != 0) lines.push_back(fmt::format("partition {}", decision.partition));
  lines.push_back(std::string(kChosen) + describe(decision.chosen, inventory));
  if (request.image_reach == ImageReach::kShared && decision.chosen.scores.image == 0) {
    lines.emplace_back("it lacks the image, and gets it from another host");
  }
  if (decision.runner_up.host != kNoHost) lines.push_back("next " + describe(decision.runner_up, inventory));
  return lines;
}

std::string choice_of(std::span<const std::string> lines) {
  const auto chosen = std::ranges::find_if(lines, [](const std::string& line) { return line.starts_with(kChosen); });
  return chosen == lines.end() ? std::string() : *chosen;
}

std::string why_nothing(const Request& request, const Decision& decision) {
  std::string reasons;
  u32 hosts = 0;
  each_refusal(decision, [&](Refusal refusal, const Refused& refused) {
    hosts += refused.hosts;
    reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", refused.hosts, reason(refusal, request));
  });
  if (hosts == 0) return "the cloud has no hosts yet: let one join with 'pileus join'";
  return fmt::format("none of {} hosts can take {} vCPUs, {} MiB of memory and {} GiB of disk: {}", hosts,
                     request.takes.vcpus, request.takes.memory_mib, request.takes.disk_gib, reasons);
}

}  // namespace pileus::placement
