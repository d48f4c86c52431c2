// Fuzz target: results of a store.
#include "analysis/store/run_store.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return varve::fuzz::answered([&] { varve::read_dataset(varve::fuzz::as_file(data, size)); });
}
