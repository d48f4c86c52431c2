// Sample losses against the reference losses that came with the series.
#include <cmath>

#include "loaders/table.h"
#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

TEST_F(PlantedSeries, SampleLossIsTheMeanCrossEntropyOfItsTokens) {
  const RunReport report = run("sample-loss", {}, domains());
  expect_passed(report.result);
  // The stream is the one-hot token, the final norm scales it to sqrt(8), the unembedding is counted.
  const auto logit = [](int64_t token, int64_t v) {
    return std::sqrt(8.0) *
           static_cast<double>(static_cast<float>(0.5 + static_cast<double>(v * 8 + token) / 1000));
  };
  const std::vector<int64_t> tokens = prompts()[1];
  double loss = 0;
  for (size_t pos = 0; pos + 1 < tokens.size(); ++pos) {
    double mass = 0;
    for (int64_t v = 0; v < 8; ++v) mass += std::exp(logit(tokens[pos], v));
    loss += (std::log(mass) - logit(tokens[pos], tokens[pos + 1])) / 3;
  }
  EXPECT_NEAR(value(report.result, "sample_loss", {0, 1}), loss, 1e-5);
  EXPECT_EQ(value(report.result, "loss_n", {0, 1}), 3) << "samples of the first domain";
}

TEST(SampleLoss, TinyOlmoeLossesAreThoseMeasuredElsewhere) {
  const std::filesystem::path shared = std::filesystem::path(VARVE_SHARED) / "series/tiny-olmoe";
  if (!std::filesystem::exists(shared)) GTEST_SKIP() << "the reference series is not here";
  const Dataset samples = read_table((shared / "samples.npz").string() + ":heldout_ids");
  const Dataset golden = read_table((shared / "sample_loss.npz").string() + ":heldout_loss");
  RunRequest request;
  request.analysis = "sample-loss";
  const int64_t width = samples["heldout_ids"].shape()[1], rows = 40;
  for (int64_t row = 0; row < rows; ++row) {
    request.probes.prompts.emplace_back();
    for (int64_t k = 0; k < width; ++k)
      request.probes.prompts.back().push_back(
          static_cast<int64_t>(samples["heldout_ids"].number(row * width + k)));
  }
  TempFolder temp;
  Task task;
  import_series({.source = std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-olmoe",
                 .store = temp.path() / "s.varve",
                 .steps = "0,1000,4000"},
                task);
  const auto store = RunStore::open(temp.path() / "s.varve");
  const Dataset series = run_analysis(store, request, task).result;
  for (const auto& [place, step] : {std::pair<int64_t, int64_t>{0, 0}, {1, 1000}, {2, 4000}}) {
    int64_t at = 0;
    while (golden.coord("step")->number(at) != static_cast<double>(step)) ++at;
    for (int64_t row = 0; row < rows; ++row)
      EXPECT_NEAR(series["sample_loss"].number(place * rows + row),
                  golden["heldout_loss"].number(at * golden["heldout_loss"].shape()[1] + row), 1e-4);
  }
}

}  // namespace
}  // namespace varve
