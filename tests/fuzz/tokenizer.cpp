// Fuzz target: tokenizer.json, and a few words through whatever it describes.
#include "analysis/model/tokenizer.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return varve::fuzz::answered([&] {
    const varve::Tokenizer tokenizer(varve::fuzz::as_text(data, size));
    std::vector<int64_t> ids;
    for (const varve::Token& token :
         tokenizer.encode("It's 12 o'clock,\n\xc3\xa9t\xc3\xa9 \xf0\x9f\x98\x80!"))
      ids.push_back(token.id);
    tokenizer.decode(ids);
  });
}
