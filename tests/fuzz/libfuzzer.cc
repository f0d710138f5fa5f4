// The same targets under libFuzzer: pileus_fuzz --target=NAME [libFuzzer's options] [corpus folders]
// libFuzzer leaves flags that start with "--" alone, also when it starts itself again.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "target.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const pileus::u8* data, std::size_t size);

namespace {
const pileus::fuzz::Target* target = nullptr;
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kFlag = "--target=";
  for (int i = 1; i < *argc; ++i) {
    const std::string_view argument = (*argv)[i];
    if (argument.substr(0, kFlag.size()) == kFlag) target = pileus::fuzz::find_target(argument.substr(kFlag.size()));
  }
  if (target == nullptr) {
    std::fputs("pileus_fuzz: give --target=NAME, one of:", stderr);
    for (const auto& each : pileus::fuzz::targets()) {
      std::fprintf(stderr, " %.*s", static_cast<int>(each.name.size()), each.name.data());
    }
    std::fputs(" canary leak_canary\n", stderr);
    std::exit(2);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const pileus::u8* data, std::size_t size) {
  target->run({data, size});
  return 0;
}
