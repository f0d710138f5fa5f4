#include "host/console_tails.h"

#include <algorithm>
#include <vector>

#include "host/local_vm.h"

namespace pileus::host {

std::map<model::InstanceId, std::string> ConsoleTails::changed() {
  struct Candidate {
    u64 turn;
    model::InstanceId id;
    Time written;
    std::filesystem::path log;
  };
  std::vector<Candidate> candidates;
  std::map<model::InstanceId, Told> still;
  for (const model::InstanceId id : instances_in(instances_)) {
    std::filesystem::path log = LocalVm(instances_, id).directory().console_log();
    std::error_code error;
    const Time written = std::filesystem::last_write_time(log, error);
    if (error) continue;
    const auto told = told_.find(id);
    if (told != told_.end()) still.insert(*told);
    if (told != told_.end() && told->second.written == written) continue;
    candidates.push_back({told == told_.end() ? 0 : told->second.turn, id, written, std::move(log)});
  }
  told_ = std::move(still);
  std::ranges::sort(candidates, {}, &Candidate::turn);

  offered_.clear();
  leaves_out_ = false;
  std::map<model::InstanceId, std::string> changed;
  std::size_t size = 0;
  for (const Candidate& each : candidates) {
    const Result<std::string> text = os::read_file(each.log);
    if (!text) continue;
    std::string tail = text->substr(text->size() - std::min(text->size(), kTail));
    size += tail.size();
    if (size > kAtOnce) {
      leaves_out_ = each.turn == 0;
      break;
    }
    offered_[each.id] = each.written;
    changed[each.id] = std::move(tail);
  }
  return changed;
}

bool ConsoleTails::told(const std::string& manager) {
  const bool knows_nothing = manager != manager_;
  const bool knew_more = knows_nothing && !told_.empty();
  if (knows_nothing) told_.clear();
  manager_ = manager;
  ++turn_;
  for (const auto& [id, written] : offered_) told_[id] = {written, turn_};
  return leaves_out_ || knew_more;
}

}  // namespace pileus::host
