// Hand-written mappings: the same network under several layouts of its tensors, against plain loops.
#include "tests/loaders/map_network.h"
#include "tests/support/expect_error.h"

namespace varve::mapped {
namespace {

TEST(Map, ATransformerLensNetworkComputesWhatItsDefinitionSays) {
  const TinyTensors all = lens_network();
  expect_equal(logits_of(lens_map, all), lens_logits(all));
}

TEST(Map, ATensorForEachHeadIsStackedInOrder) {
  TinyTensors all = lens_network(), single = all;
  std::string map = lens_map;
  for (const char* letter : {"Q", "K", "V", "O"}) {
    const std::string whole = std::string("blocks.0.attn.W_") + letter;
    const auto [shape, values] = all.tensors.at(whole);
    single.tensors.erase(whole);
    const size_t size = values.size() / heads;
    for (size_t head = 0; head < heads; ++head)
      single.tensors[fmt::format("h0.heads.{}.{}", head, letter)] = {
          {shape[1], shape[2]},
          {values.begin() + static_cast<long>(head * size),
           values.begin() + static_cast<long>((head + 1) * size)}};
    const std::string rule = fmt::format(
        "\"blocks.{{layer}}.attn.W_{}\" = {{ from = \"blocks.{{layer}}.attn.W_{}\", permute = [{}] }}",
        letter, letter, *letter == 'O' ? "2, 0, 1" : "0, 2, 1");
    map = replaced(map, rule,
                   fmt::format("\"blocks.{{layer}}.attn.W_{}\" = {{ from = \"h{{layer}}.heads.{{head}}.{}\", "
                               "transpose = true }}",
                               letter, letter));
  }
  expect_equal(logits_of(map, single), lens_logits(all));
}

TEST(Map, AFusedMatrixIsSplitIntoQueryKeyAndValue) {
  TinyTensors all = lens_network(), fused = all;
  std::string map = lens_map;
  auto& whole = fused.tensors["qkv"];
  whole = {{3 * heads * d_head, d_model}, {}};
  for (const char* letter : {"Q", "K", "V"}) {
    const std::string name = std::string("blocks.0.attn.W_") + letter;
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t j = 0; j < d_head; ++j)
        for (int64_t i = 0; i < d_model; ++i)
          whole.second.push_back(static_cast<float>(at(all, name, {head, i, j})));
    fused.tensors.erase(name);
    const std::string tail =
        fmt::format("{{ from = \"blocks.{{layer}}.attn.W_{}\", permute = [0, 2, 1] }}", letter);
    const long which = *letter == 'Q' ? 0 : *letter == 'K' ? 1 : 2;
    map = replaced(map, tail,
                   *letter == 'V' ? std::string("{ from = \"qkv\", slice = [0, 12, 18] }")
                                  : fmt::format("{{ from = \"qkv\", split = [0, 3, {}] }}", which));
  }
  EXPECT_EQ(read(map, fused).spec.layers, 1);
  expect_equal(logits_of(map, fused), lens_logits(all));
}

TEST(Map, AViewMayNameSizesAndLeaveOneOpen) {
  TinyTensors all = lens_network(), flat = all;
  auto& query = flat.tensors.at("blocks.0.attn.W_Q").first;
  query = {heads * d_model * d_head};
  const std::string map =
      replaced(lens_map, "attn.W_Q\", permute", "attn.W_Q\", view = [\"heads\", -1, \"d_head\"], permute");
  expect_equal(logits_of(map, flat), lens_logits(all));
}

TEST(Map, TheDraftForTransformerLensNamesNeedsNoCorrection) {
  const TinyTensors all = lens_network();
  const std::string draft = map_template(shapes_of(all), "lens.safetensors");
  expect_equal(logits_of(draft, all), lens_logits(all));
}

TEST(Map, TheDraftSaysWhatItCouldNotPlace) {
  TinyTensors all = lens_network();
  all.add("mystery", {5}, 1);
  const std::string draft = map_template(shapes_of(all), "lens.safetensors");
  EXPECT_NE(draft.find("mystery"), std::string::npos);
  expect_error([&] { read(draft, all); }, {"1 tensor", "mystery [5]", "ignore"});
}

TEST(Map, LogitsMayBeFewerThanTokens) {
  TinyTensors all = lens_network();
  all.add("unembed.W_U", {d_model, vocab - 1}, 0.8);
  all.add("unembed.b_U", {vocab - 1}, 0.3);
  expect_error([&] { read(lens_map, all); }, {"unembed.W_U", "[6, 6]", "[7, 6]"});
  const std::string map = replaced(lens_map, "vocab = 7", "vocab = 7\nvocab_out = 6");
  EXPECT_EQ(logits_of(map, all).size(), prompt.size() * 6);
}

TEST(Map, WithoutACausalMaskEveryPositionSeesAll) {
  const TinyTensors all = lens_network();
  const std::string map = replaced(lens_map, "heads = 2", "heads = 2\ncausal = false");
  const Weights weights = weights_of(read(map, all), all);
  const SiteValues seen = seen_sites(
      weights, {prompt}, {"blocks.0.attn.pattern", "blocks.0.attn.z", "blocks.0.attn.v"}, Compute::f64);
  const auto &pattern = seen("blocks.0.attn.pattern"), &z = seen("blocks.0.attn.z"),
             &v = seen("blocks.0.attn.v");
  const size_t n = prompt.size();
  double sum = 0, mixed = 0;
  for (size_t key = 0; key < n; ++key) {
    EXPECT_GT(pattern[key], 0);  // head 0, query 0
    sum += pattern[key];
    mixed += pattern[key] * v[key * heads * d_head];
  }
  EXPECT_NEAR(sum, 1, tolerance);
  EXPECT_NEAR(z[0], mixed, tolerance);
}

// (x + module(x)) normed after each sum, as the first transformer had it and torch.nn.TransformerEncoderLayer
// has.
TEST(Map, NormsMayFollowTheSums) {
  TinyTensors all = lens_network();
  for (const char* name : {"ln1", "ln2"})
    for (const char* part : {"w", "b"})
      all.add(fmt::format("blocks.0.{}.{}", name, part), {d_model}, 0.4, *part == 'w' ? 1 : 0);
  std::string map =
      replaced(lens_map, "norm = \"none\"", "norm = \"layer\"\nnorm_after_sum = true\nfinal_norm = false");
  for (const char* name : {"ln1.w", "ln1.b", "ln2.w", "ln2.b"})
    map += fmt::format("\"blocks.{{layer}}.{}\" = \"blocks.{{layer}}.{}\"\n", name, name);
  const Weights weights = weights_of(read(map, all), all);
  const SiteValues seen = seen_sites(weights, {prompt}, {"blocks.0.*", "logits"}, Compute::f64);
  const auto normed = [&](const std::string& before, const std::string& added, const std::string& name) {
    Vec sum, w, b;
    for (int64_t i = 0; i < d_model; ++i) {
      sum.push_back(seen(before)[static_cast<size_t>(i)] + seen(added)[static_cast<size_t>(i)]);
      w.push_back(at(all, "blocks.0." + name + ".w", {i}));
      b.push_back(at(all, "blocks.0." + name + ".b", {i}));
    }
    return naive::layer_norm(sum, w, b, 1e-5);
  };
  const Vec middle = normed("blocks.0.resid_pre", "blocks.0.attn_out", "ln1");
  const Vec last = normed("blocks.0.resid_mid", "blocks.0.mlp_out", "ln2");
  for (size_t i = 0; i < static_cast<size_t>(d_model); ++i) {
    EXPECT_NEAR(seen("blocks.0.resid_mid")[i], middle[i], tolerance);
    EXPECT_NEAR(seen("blocks.0.resid_post")[i], last[i], tolerance);
  }
}

std::string mlp_map() {
  return read_map(std::filesystem::path(VARVE_SOURCE) / "tests/loaders/maps/mlp_on_pairs.toml").text;
}

// logits = W2 (W1 [E(a), E(b)] + b1)^2, read at b.
TEST(Map, AnMlpOnTwoTokensComputesWhatItsDefinitionSays) {
  TinyTensors all;
  all.add("embed.weight", {4, 3}, 1);
  all.add("fc1.weight", {5, 6}, 1);
  all.add("fc1.bias", {5}, 1);
  all.add("fc2.weight", {4, 5}, 1);
  const Weights weights = weights_of(read(mlp_map(), all), all);
  const std::vector<double> got = seen_sites(weights, {{2, 3}}, {"logits"}, Compute::f64)("logits");
  for (int64_t token = 0; token < 4; ++token) {
    double logit = 0;
    for (int64_t h = 0; h < 5; ++h) {
      double hidden = at(all, "fc1.bias", {h});
      for (int64_t i = 0; i < 3; ++i)
        hidden += at(all, "fc1.weight", {h, i}) * at(all, "embed.weight", {2, i}) +
                  at(all, "fc1.weight", {h, i + 3}) * at(all, "embed.weight", {3, i});
      logit += hidden * hidden * at(all, "fc2.weight", {token, h});
    }
    EXPECT_NEAR(got.at(static_cast<size_t>(4 + token)), logit, tolerance);
  }
}

TEST(Map, TheDraftKnowsAnMlpByItsShapes) {
  TinyTensors all;
  all.add("embed.weight", {4, 3}, 1);
  all.add("fc1.weight", {5, 6}, 1);
  all.add("fc1.bias", {5}, 1);
  all.add("fc2.weight", {4, 5}, 1);
  std::string draft = map_template(shapes_of(all), "mlp.safetensors");
  draft = replaced(draft, "\"relu\"", "\"square\"");
  const std::vector<std::vector<int64_t>> pair = {{2, 3}};
  const Weights drafted = weights_of(read(draft, all), all), written = weights_of(read(mlp_map(), all), all);
  EXPECT_EQ(seen_sites(drafted, pair, {"logits"})("logits"), seen_sites(written, pair, {"logits"})("logits"));
}

// The same on one-hot tokens, with a second hidden layer.
TEST(Map, AnMlpOnOneHotTokensNeedsNoEmbedding) {
  TinyTensors all;
  all.add("net.0.weight", {5, 8}, 1);
  all.add("net.2.weight", {5, 5}, 1);
  all.add("net.2.bias", {5}, 1);
  all.add("net.4.weight", {4, 5}, 1);
  std::string map = replaced(mlp_map(), "d_embed = 3", "d_embed = 4");
  map = replaced(map, "\"embed.W_E\" = \"embed.weight\"\n", "");
  map = replaced(map, "\"embed.b_in\" = \"fc1.bias\"",
                 "\"blocks.1.mlp.W_in\" = \"net.2.weight\"\n\"blocks.1.mlp.b_in\" = \"net.2.bias\"");
  map = replaced(replaced(map, "fc1.weight", "net.0.weight"), "fc2.weight", "net.4.weight");
  map = replaced(replaced(map, "layers = 1", "layers = 2"), "\"square\"", "\"relu\"");
  const Weights weights = weights_of(read(map, all), all);
  const std::vector<double> got = seen_sites(weights, {{2, 3}}, {"logits"}, Compute::f64)("logits");
  for (int64_t token = 0; token < 4; ++token) {
    double logit = 0;
    for (int64_t h = 0; h < 5; ++h) {
      double hidden = at(all, "net.2.bias", {h});
      for (int64_t i = 0; i < 5; ++i)
        hidden += at(all, "net.2.weight", {h, i}) *
                  std::max(0.0, at(all, "net.0.weight", {i, 2}) + at(all, "net.0.weight", {i, 4 + 3}));
      logit += std::max(0.0, hidden) * at(all, "net.4.weight", {token, h});
    }
    EXPECT_NEAR(got.at(static_cast<size_t>(4 + token)), logit, tolerance);
  }
  const std::string draft = map_template(shapes_of(all), "mlp.safetensors");
  const Weights drafted = weights_of(read(draft, all), all);
  EXPECT_EQ(seen_sites(drafted, {{2, 3}}, {"logits"}, Compute::f64)("logits"), got);
}

}  // namespace
}  // namespace varve::mapped
