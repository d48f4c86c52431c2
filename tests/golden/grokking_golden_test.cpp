// Two checkpoints of a stranger's grokking run, read through a hand-written map and held to the numbers that
// were measured on them elsewhere: before the network generalised, and after.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <filesystem>
#include <map>
#include <numeric>

#include "loaders/import.h"
#include "loaders/map.h"
#include "tests/support/site_values.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

constexpr int64_t p = 97;
// The printed numbers have six decimals, the shares two of a percentage.
constexpr double printed = 6e-7, printed_share = 6e-5;

struct Measured {
  double accuracy = 0, cross_entropy = 0, top_share = 0;
  std::vector<int64_t> frequencies;  // of the five strongest, sorted
};

// Over all p^2 pairs, at the last of the tokens a, b, "=".
void measure_answers(const Weights& weights, Measured& measured) {
  std::vector<std::vector<int64_t>> prompts;
  for (int64_t a = 0; a < p; ++a)
    for (int64_t b = 0; b < p; ++b) prompts.push_back({a, b, p});
  const SiteValues seen = seen_sites(weights, prompts, {"logits"});
  for (size_t i = 0; i < prompts.size(); ++i) {
    const std::vector<double>& all = seen("logits", static_cast<int64_t>(i));
    const std::vector<double> logits(all.end() - p, all.end());
    const auto answer = static_cast<size_t>((prompts[i][0] + prompts[i][1]) % p);
    const double top = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (double logit : logits) sum += std::exp(logit - top);
    measured.cross_entropy += top + std::log(sum) - logits[answer];
    measured.accuracy += logits[answer] == top ? 1 : 0;
  }
  measured.cross_entropy /= static_cast<double>(p * p);
  measured.accuracy /= static_cast<double>(p * p);
}

// Power of each frequency over the tokens 0..96, summed over d_model; the constant part is left out.
void measure_embedding(const Weights& weights, Measured& measured) {
  const Matrix table = weights.matrix("embed.W_E");
  std::vector<double> rows(static_cast<size_t>(p * table.columns));
  widen_rows(table, 0, p, rows.data());
  std::vector<std::pair<double, int64_t>> power;
  for (int64_t frequency = 1; frequency <= p / 2; ++frequency) {
    double sum = 0;
    for (int64_t column = 0; column < table.columns; ++column) {
      std::complex<double> wave = 0;
      for (int64_t token = 0; token < p; ++token)
        wave +=
            rows[static_cast<size_t>(token * table.columns + column)] *
            std::polar(1.0, -2 * M_PI * static_cast<double>(frequency * token % p) / static_cast<double>(p));
      sum += std::norm(wave);
    }
    power.emplace_back(sum, frequency);
  }
  const double whole = std::accumulate(power.begin(), power.end(), 0.0,
                                       [](double sum, const auto& one) { return sum + one.first; });
  std::sort(power.rbegin(), power.rend());
  for (size_t i = 0; i < 5; ++i) {
    measured.top_share += power[i].first / whole;
    measured.frequencies.push_back(power[i].second);
  }
  std::sort(measured.frequencies.begin(), measured.frequencies.end());
}

Measured measured(const std::string& file) {
  const auto map = std::make_shared<NetworkMap>(
      read_map(fs::path(VARVE_SOURCE) / "tests/loaders/maps/one_layer_grokking.toml"));
  const SeriesSource series = find_series(fs::path(VARVE_SHARED) / "real/porth-grokking/runs" / file, map);
  const OpenedModel opened = open_model(series, series.checkpoints.at(0));
  Measured all;
  measure_answers(*opened.weights, all);
  measure_embedding(*opened.weights, all);
  return all;
}

bool is_there() { return fs::exists(fs::path(VARVE_SHARED) / "real/porth-grokking/runs"); }

TEST(GrokkingGolden, BeforeItGeneralisesTheNetworkKnowsItsTrainingPairs) {
  if (!is_there()) GTEST_SKIP() << "the checkpoints of porth-grokking are not here";
  const Measured memorized = measured("p97_frac0.30_wd1_seed0_memorize.pt");
  EXPECT_NEAR(memorized.accuracy, 0.413859, printed);
  EXPECT_NEAR(memorized.cross_entropy, 3.560014, 2 * printed);
  EXPECT_NEAR(memorized.top_share, 0.1364, printed_share);
}

TEST(GrokkingGolden, AfterItGeneralisedFiveFrequenciesHoldMostOfTheEmbedding) {
  if (!is_there()) GTEST_SKIP() << "the checkpoints of porth-grokking are not here";
  const Measured grokked = measured("p97_frac0.30_wd1_seed0.pt");
  EXPECT_EQ(grokked.accuracy, 1);
  EXPECT_NEAR(grokked.cross_entropy, 0.006893, printed);
  EXPECT_NEAR(grokked.top_share, 0.5668, printed_share);
  EXPECT_EQ(grokked.frequencies, (std::vector<int64_t>{5, 14, 20, 36, 37}));
}

}  // namespace
}  // namespace varve
