// A series of three checkpoints with a planted router: cliques in the later layers, a dead expert, one that
// dies, and two that merge.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "analysis/run.h"
#include "loaders/import.h"
#include "tests/support/planted_router.h"
#include "tests/support/temp_folder.h"

namespace varve {

inline const std::vector<int64_t> planted_steps{10, 20, 30};

// Tokens 0 to 3 are of one domain, 4 to 7 of the other.
inline std::vector<double> planted_probabilities(int64_t step, int64_t layer, int64_t token) {
  if (layer == 0) return {.30, .25, .20, .12, .09, .04};  // everyone alike: experts 0 and 1
  const bool first = token < 4;
  std::vector<double> p = first ? std::vector<double>{.40, .30, .12, .10, .06, .02}
                                : std::vector<double>{.12, .10, .40, .30, .06, .02};
  if (layer == 1 && step < 30 && (token == 0 || token == 5)) std::swap(p[0], p[1]);
  // Before the merge expert 1 differs from expert 0 from token to token; afterwards they are equal
  // everywhere.
  if (layer == 1 && step == 30) p[0] = p[1] = (p[0] + p[1]) / 2;
  if (layer == 2 && step == 10 && token == 7)
    std::swap(p[3], p[4]);  // expert 4 is chosen here and never again
  return p;
}

class PlantedSeries : public testing::Test {
 protected:
  void SetUp() override {
    for (const int64_t step : planted_steps) {
      PlantedRouter planted;
      planted.probabilities = [step](int64_t layer, int64_t token) {
        return planted_probabilities(step, layer, token);
      };
      write_planted_router(temp_.path() / "run" / ("step" + std::to_string(step)), planted);
    }
    import_series({.source = temp_.path() / "run", .store = temp_.path() / "s.varve"}, task_);
    store_ = RunStore::open(temp_.path() / "s.varve");
  }

  // Three samples of each domain, all of four tokens.
  static std::vector<std::vector<int64_t>> prompts() {
    return {{0, 1, 2, 3}, {0, 0, 1, 2}, {3, 3, 2, 1}, {4, 5, 6, 7}, {5, 5, 4, 6}, {7, 6, 7, 4}};
  }
  static Inputs domains() {
    Dataset table;
    table.set("groups", Array({"row"}, {6}, std::vector<std::string>{"A", "A", "A", "B", "B", "B"}));
    return {{"groups", table}};
  }

  RunReport run(const std::string& analysis, const SettingValues& settings = {}, Inputs inputs = {}) {
    RunRequest request;
    request.analysis = analysis;
    request.settings = settings;
    request.probes = Probes{prompts(), "planted"};
    request.inputs = std::move(inputs);
    return run_analysis(store_, request, task_);
  }

  // Mean over the sample's tokens, as the table says.
  static std::vector<double> mean_weights(int64_t step, int64_t layer, int64_t prompt) {
    std::vector<double> mean(6, 0);
    const auto tokens = prompts()[static_cast<size_t>(prompt)];
    for (const int64_t token : tokens)
      for (size_t e = 0; e < 6; ++e)
        mean[e] += planted_probabilities(step, layer, token)[e] / static_cast<double>(tokens.size());
    return mean;
  }

  static double value(const Dataset& data, const std::string& name, const std::vector<int64_t>& index) {
    return data[name].number(data[name].flat(index));
  }
  static void expect_passed(const Dataset& data) {
    EXPECT_FALSE(data.checks.empty());
    for (const Check& check : data.checks) EXPECT_TRUE(check.passed) << check.name << " " << check.residual;
  }

  TempFolder temp_;
  Task task_;
  std::shared_ptr<RunStore> store_;
};

// Probabilities through a logarithm and a softmax in f32.
constexpr double planted_rounding = 2e-6;

}  // namespace varve
