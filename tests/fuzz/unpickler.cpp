// Fuzz target: the unpickler and the tensors it describes, over storages that are always there.
#include <array>

#include "loaders/pickle/tensors.h"
#include "loaders/pickle/unpickler.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::array<std::byte, 256> storage{};
  return varve::fuzz::answered([&] {
    const varve::PickleTree tree = varve::read_pickle(varve::fuzz::as_text(data, size), "input");
    varve::TensorPlacer placer(std::as_bytes(std::span(data, size)));
    const varve::FindStorage find = [](const varve::StorageName&, const std::string&) {
      return std::span<const std::byte>(storage);
    };
    varve::pickled_parts(tree, find, placer, "input", "alone");
  });
}
