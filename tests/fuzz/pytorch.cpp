// Fuzz target: PyTorch files, zip and older.
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return varve::fuzz::answered(
      [&] { varve::fuzz::touch(*varve::formats().get("pytorch").open(varve::fuzz::as_file(data, size))); });
}
