// Fuzz target: results of a store, as they come and once more under a seal that fits them.
//
// Any changed byte ends at the seal. Whoever wants to do harm computes it anew; the second reading is what
// such a person hands over, the first brace that opens a table being taken for its beginning.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "analysis/core/digest.h"
#include "analysis/store/run_store.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

std::string sealed(std::string_view body) {
  const size_t table = std::min(body.find("{\"arrays\""), body.size());
  const std::string note = fmt::format(R"({{"title":"","provenance":{{}},"table":{}}})", body.size() - table);
  return std::string(body) + note +
         fmt::format("varve-seal 1 {:016x} {:016x} {} {}\n", body.size(), note.size(),
                     varve::digest_of(body.data(), body.size()), varve::digest_of(note.data(), note.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  varve::fuzz::answered([&] { varve::read_dataset(varve::fuzz::as_file(data, size)); });
  const std::string whole = sealed(varve::fuzz::as_text(data, size));
  return varve::fuzz::answered([&] {
    varve::read_dataset(varve::fuzz::as_file(reinterpret_cast<const uint8_t*>(whole.data()), whole.size()));
  });
}
