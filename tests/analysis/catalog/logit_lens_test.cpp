// The logit lens on the demo series: identities that hold bit for bit, and what a reader would check by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "analysis/core/pool.h"
#include "analysis/run.h"
#include "loaders/import.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

const std::filesystem::path& demo_series() {
  static const std::filesystem::path folder = std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-neox";
  return folder;
}

class LogitLens : public testing::Test {
 protected:
  void SetUp() override { import_into("s.varve", false); }
  void import_into(const std::string& name, bool link) {
    import_series({.source = demo_series(),
                   .store = temp_.path() / name,
                   .link = link,
                   .steps = "64,7000",
                   .branch = ""},
                  task_);
  }
  Dataset cell(const std::string& store_name, const Probes& probes, Compute compute = Compute::f32) {
    const auto store = RunStore::open(temp_.path() / store_name);
    RunRequest request;
    request.analysis = "logit-lens";
    request.probes = probes;
    request.steps = {7000};
    request.compute = compute;
    const RunReport report = run_analysis(store, request, task_);
    return store->result("logit-lens", report.cell_keys.at(0)).value();
  }
  TempFolder temp_;
  Task task_;
};

Probes one(std::vector<int64_t> ids) { return Probes{{std::move(ids)}, "test"}; }
const std::vector<int64_t> short_prompt{0, 40, 300, 7, 300};
const std::vector<int64_t> long_prompt{0, 512, 90, 91, 700, 13, 90, 91, 700, 13, 90};

// Keeps the model's own logits and final residual of prompt 0.
struct OutputReader : SiteReader {
  std::vector<float> logits;
  bool wants(const std::string& site) const override { return site == "logits"; }
  void see(const Site& site) override { logits.assign(site.f32.begin(), site.f32.end()); }
};

TEST_F(LogitLens, LastLayerEqualsTheModelOutput) {
  const Dataset lens = cell("s.varve", one(long_prompt));
  const auto store = RunStore::open(temp_.path() / "s.varve");
  const Weights weights = weights_of(store, store->series().checkpoints.back());
  OutputReader reader;
  SiteReader* const readers[] = {&reader};
  forward(weights, one(long_prompt), Compute::f32, readers, task_);
  const int64_t vocab = weights.spec().vocab, positions = static_cast<int64_t>(long_prompt.size());
  const int64_t last = lens.extent("layer") - 1;
  for (int64_t pos = 0; pos < positions; ++pos) {
    const float* z = reader.logits.data() + pos * vocab;
    const int64_t best = std::max_element(z, z + vocab) - z;
    double mass = 0;
    for (int64_t v = 0; v < vocab; ++v) mass += std::exp(static_cast<double>(z[v]) - z[best]);
    const int64_t at = last * positions + pos;
    EXPECT_EQ(lens["top_id"].number(at * lens.extent("rank")), static_cast<double>(best));
    EXPECT_FLOAT_EQ(static_cast<float>(lens["top_prob"].number(at * lens.extent("rank"))),
                    static_cast<float>(1 / mass));
    EXPECT_EQ(lens["kl_final_lens"].number(at), 0);
    EXPECT_EQ(lens["kl_lens_final"].number(at), 0);
    EXPECT_EQ(lens["rank_final"].number(at), 1);
  }
  for (const Check& check : lens.checks) EXPECT_TRUE(check.passed) << check.name;
  EXPECT_EQ(lens.checks.at(0).residual, 0) << "the identity is exact, not near";
}

TEST_F(LogitLens, ValuesAgreeWithAPlainSoftmaxOverTheWholeVocabulary) {
  const Dataset lens = cell("s.varve", one(short_prompt), Compute::f64);
  const auto store = RunStore::open(temp_.path() / "s.varve");
  const Weights weights = weights_of(store, store->series().checkpoints.back());
  struct Residuals : SiteReader {
    std::vector<std::vector<double>> kept;
    bool wants(const std::string& site) const override {
      return site == "blocks.0.resid_pre" || site.ends_with("resid_post");
    }
    void see(const Site& site) override { kept.emplace_back(site.f64.begin(), site.f64.end()); }
  } reader;
  SiteReader* const readers[] = {&reader};
  forward(weights, one(short_prompt), Compute::f64, readers, task_);
  const Unembed unembed(weights, Compute::f64);
  const int64_t count = static_cast<int64_t>(short_prompt.size()), vocab = unembed.vocab();
  std::vector<std::vector<double>> p(reader.kept.size(),
                                     std::vector<double>(static_cast<size_t>(count * vocab)));
  for (size_t layer = 0; layer < reader.kept.size(); ++layer) {
    std::vector<double>& z = p[layer];
    const Unembed::Tile64 keep = [&](int64_t first, int64_t tokens, std::span<const double> tile) {
      for (int64_t r = 0; r < count; ++r)
        std::copy_n(tile.begin() + r * tokens, tokens, z.begin() + r * vocab + first);
    };
    unembed.run(std::span<const double>(reader.kept[layer]), count, keep);
    for (int64_t r = 0; r < count; ++r) {
      double mass = 0;
      for (int64_t v = 0; v < vocab; ++v) mass += std::exp(z[static_cast<size_t>(r * vocab + v)]);
      for (int64_t v = 0; v < vocab; ++v)
        z[static_cast<size_t>(r * vocab + v)] = std::exp(z[static_cast<size_t>(r * vocab + v)]) / mass;
    }
  }
  constexpr double storage = 1e-6;  // results are kept in f32
  for (size_t layer = 0; layer < p.size(); ++layer)
    for (int64_t r = 0; r < count; ++r) {
      double entropy = 0, forward_kl = 0, backward_kl = 0;
      for (int64_t v = 0; v < vocab; ++v) {
        const double here = p[layer][static_cast<size_t>(r * vocab + v)],
                     last = p.back()[static_cast<size_t>(r * vocab + v)];
        entropy -= here * std::log(here);
        forward_kl += last * std::log(last / here);
        backward_kl += here * std::log(here / last);
      }
      const int64_t at = static_cast<int64_t>(layer) * count + r;
      EXPECT_NEAR(lens["entropy"].number(at), entropy, storage * std::max(1.0, entropy));
      EXPECT_NEAR(lens["kl_final_lens"].number(at), forward_kl, storage * std::max(1.0, forward_kl));
      EXPECT_NEAR(lens["kl_lens_final"].number(at), backward_kl, storage * std::max(1.0, backward_kl));
      if (r + 1 == count) {
        EXPECT_TRUE(std::isnan(lens["rank_true"].number(at)));
        continue;
      }
      const int64_t next = short_prompt[static_cast<size_t>(r + 1)];
      const double true_p = p[layer][static_cast<size_t>(r * vocab + next)];
      int64_t rank = 1;
      for (int64_t v = 0; v < vocab; ++v)
        rank += p[layer][static_cast<size_t>(r * vocab + v)] > true_p ? 1 : 0;
      EXPECT_EQ(lens["rank_true"].number(at), static_cast<double>(rank));
      EXPECT_NEAR(lens["cross_entropy"].number(at), -std::log(true_p), storage * 20);
      EXPECT_NEAR(lens["prob_true"].number(at), true_p, storage);
    }
}

TEST_F(LogitLens, APromptAloneEqualsTheSamePromptAmongOthers) {
  const Dataset alone = cell("s.varve", one(short_prompt));
  const Dataset together = cell("s.varve", Probes{{long_prompt, short_prompt}, "test"});
  const int64_t wide = static_cast<int64_t>(long_prompt.size()),
                narrow = static_cast<int64_t>(short_prompt.size());
  for (const char* name : {"entropy", "kl_final_lens", "kl_lens_final", "rank_final", "prob_true"})
    for (int64_t layer = 0; layer < alone.extent("layer"); ++layer)
      for (int64_t pos = 0; pos < narrow; ++pos) {
        const float a = static_cast<float>(alone[name].number(layer * narrow + pos));
        const float b = static_cast<float>(together[name].number((layer * 2 + 1) * wide + pos));
        EXPECT_EQ(std::memcmp(&a, &b, sizeof a), 0) << name << " layer " << layer << " pos " << pos;
      }
}

TEST_F(LogitLens, ThreadsNeverChangeABit) {
  const int before = threads();
  set_threads(1);
  const Dataset single = cell("s.varve", one(long_prompt));
  set_threads(2);
  import_into("again.varve", false);
  const Dataset both = cell("again.varve", one(long_prompt));
  set_threads(before);
  EXPECT_TRUE(single.same_values(both));
}

TEST_F(LogitLens, StoredWeightsEqualLinkedWeights) {
  import_into("linked.varve", true);
  EXPECT_TRUE(cell("s.varve", one(long_prompt)).same_values(cell("linked.varve", one(long_prompt))));
}

TEST_F(LogitLens, DoublePrecisionShrinksTheError) {
  const Dataset f32 = cell("s.varve", one(long_prompt)),
                f64 = cell("s.varve", one(long_prompt), Compute::f64);
  constexpr double rounding = 1e-3;  // f32 noise of logits that reach 22, in nats
  for (int64_t i = 0; i < f32["entropy"].size(); ++i)
    EXPECT_NEAR(f32["entropy"].number(i), f64["entropy"].number(i), rounding);
}

TEST_F(LogitLens, PredictionDepthAndFirstCorrectLayerFollowFromTheTopTokens) {
  const Dataset lens = cell("s.varve", one(long_prompt));
  const int64_t layers = lens.extent("layer"), positions = lens.extent("pos"), ranks = lens.extent("rank");
  for (int64_t pos = 0; pos < positions; ++pos) {
    const auto top = [&](int64_t layer) { return lens["top_id"].number((layer * positions + pos) * ranks); };
    int64_t depth = layers - 1;
    while (depth > 0 && top(depth - 1) == top(layers - 1)) --depth;
    EXPECT_EQ(lens["prediction_depth"].number(pos), static_cast<double>(depth));
    double first = NAN;
    for (int64_t layer = layers - 1; layer >= 0 && pos + 1 < positions; --layer)
      if (top(layer) == static_cast<double>(long_prompt[static_cast<size_t>(pos + 1)]))
        first = static_cast<double>(layer);
    const double ours = lens["first_correct_layer"].number(pos);
    EXPECT_TRUE(std::isnan(first) ? std::isnan(ours) : ours == first);
  }
}

TEST_F(LogitLens, TheSeriesCarriesNAndAnInterval) {
  const auto store = RunStore::open(temp_.path() / "s.varve");
  RunRequest request;
  request.analysis = "logit-lens";
  request.probes = Probes{{long_prompt, short_prompt, {0, 5, 6, 7, 8}}, "test"};
  const RunReport report = run_analysis(store, request, task_);
  const Dataset& series = report.result;
  EXPECT_EQ(series.extent("step"), 2);
  EXPECT_EQ(series["cross_entropy_n"].number(0),
            static_cast<double>(long_prompt.size() + short_prompt.size() + 5 - 3));
  const int64_t last = series["cross_entropy"].size() - 1;
  EXPECT_LE(series["cross_entropy_low"].number(last), series["cross_entropy"].number(last));
  EXPECT_GE(series["cross_entropy_high"].number(last), series["cross_entropy"].number(last));
  EXPECT_LT(series["cross_entropy_low"].number(last), series["cross_entropy_high"].number(last));
}

}  // namespace
}  // namespace varve
