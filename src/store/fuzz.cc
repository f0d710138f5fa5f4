#include "store/fuzz.h"

#include "store/chain.h"
#include "store/manifest.h"

namespace pileus::store {
namespace {

std::string_view text_of(std::span<const u8> input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

}  // namespace

void fuzz_manifest(std::span<const u8> input) {
  const Result<Manifest> manifest = parse_manifest(text_of(input));
  if (manifest) CHECK(encode_manifest(*manifest) == text_of(input));
}

void fuzz_chain(std::span<const u8> input) {
  const Result<Chain> chain = parse_chain(text_of(input));
  if (!chain) return;
  const std::string text = encode_chain(*chain);
  const Result<Chain> again = parse_chain(text);
  CHECK(again.ok() && encode_chain(*again) == text);
}

}  // namespace pileus::store
