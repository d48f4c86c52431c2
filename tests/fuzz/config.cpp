// Fuzz target: config.json, read by the family it names over the tensors of a small model.
#include <nlohmann/json.hpp>

#include "loaders/family.h"
#include "tests/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const varve::TensorShapes shapes = {{"model.embed_tokens.weight", {11, 8}},
                                             {"model.norm.weight", {8}},
                                             {"lm_head.weight", {11, 8}},
                                             {"wte.weight", {11, 8}},
                                             {"gpt_neox.embed_in.weight", {11, 8}},
                                             {"model.layers.0.self_attn.q_proj.weight", {8, 8}}};
  return varve::fuzz::answered([&] {
    const nlohmann::json config = nlohmann::json::parse(varve::fuzz::as_text(data, size), nullptr, false);
    if (config.is_discarded()) return;
    try {
      varve::read_family(config, shapes);
    } catch (const nlohmann::json::exception&) {
      // The caller of read_family turns it into an Error that names the file.
    }
  });
}
