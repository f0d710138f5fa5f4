#include "instance_count.h"

#include <fmt/format.h>

#include <algorithm>

#include "instruction_tables.h"

namespace pileus::cpu_test {

namespace {

constexpr std::size_t kShown = 16;

std::string names(const Mnemonics& mnemonics) {
  std::string text;
  for (const ZydisMnemonic mnemonic : mnemonics) text += fmt::format(" {}", ZydisMnemonicGetString(mnemonic));
  return text.empty() ? " none" : text;
}

}  // namespace

void InstanceCount::add(const std::vector<ZydisMnemonic>& executed) {
  for (const ZydisMnemonic mnemonic : executed) ++count_[mnemonic];
  total_ += executed.size();
}

std::string InstanceCount::all() const {
  std::string text;
  for (std::size_t i = 0; i < count_.size(); ++i) {
    if (count_[i] == 0) continue;
    text += fmt::format("{} {}\n", ZydisMnemonicGetString(static_cast<ZydisMnemonic>(i)), count_[i]);
  }
  return text;
}

std::string InstanceCount::least() const {
  const Mnemonics made = fuzzed_mnemonics();
  Mnemonics tables = interpreted_mnemonics();
  tables.insert(made.begin(), made.end());
  std::vector<ZydisMnemonic> some;
  Mnemonics missed, others;
  for (const ZydisMnemonic mnemonic : tables) {
    if (count_[mnemonic] != 0) some.push_back(mnemonic);
    else (made.contains(mnemonic) ? missed : others).insert(mnemonic);
  }
  std::sort(some.begin(), some.end(), [&](auto one, auto other) { return count_[one] < count_[other]; });
  std::string text =
      fmt::format("{} of {} instructions of the tables; the fewest instances:", some.size(), tables.size());
  for (std::size_t i = 0; i < std::min(kShown, some.size()); ++i)
    text += fmt::format(" {} {},", ZydisMnemonicGetString(some[i]), count_[some[i]]);
  text.pop_back();
  return text + fmt::format("\nmade, but without an instance:{}\nnot made:{}\n", names(missed), names(others));
}

}  // namespace pileus::cpu_test
