// Fuzz target: the table in front of safetensors files.
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return varve::fuzz::answered([&] {
    varve::fuzz::touch(*varve::formats().get("safetensors").open(varve::fuzz::as_file(data, size)));
  });
}
