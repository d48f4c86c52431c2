// Logit lens, residual norms and losses against TransformerLens and PyTorch, through import, store and
// runner.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>

#include "analysis/run.h"
#include "loaders/format.h"
#include "loaders/import.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

// design.md section 7: parity in f32.
constexpr double parity = 5e-5;

struct Golden {
  std::unique_ptr<TensorFile> file;
  explicit Golden(const std::filesystem::path& path) : file(formats().get("safetensors").open(path)) {}
  bool has(const std::string& name) const {
    return std::ranges::any_of(file->tensors(),
                               [&](const FileTensor& tensor) { return tensor.name == name; });
  }
  const FileTensor& find(const std::string& name) const {
    for (const FileTensor& tensor : file->tensors())
      if (tensor.name == name) return tensor;
    fail("no golden '{}'", name);
  }
  std::vector<double> numbers(const std::string& name) const {
    const TensorView& view = find(name).view;
    std::vector<double> out;
    for (int64_t i = 0; i < view.count(); ++i) {
      if (view.type == TensorType::f32) {
        float value;
        std::memcpy(&value, view.bytes.data() + i * 4, 4);
        out.push_back(value);
      } else {
        int64_t value;
        std::memcpy(&value, view.bytes.data() + i * 8, 8);
        out.push_back(static_cast<double>(value));
      }
    }
    return out;
  }
  std::vector<int64_t> shape(const std::string& name) const { return find(name).view.shape; }
};

Probes rows_of(const Golden& golden, const std::string& name) {
  const std::vector<double> ids = golden.numbers(name);
  const std::vector<int64_t> shape = golden.shape(name);
  Probes probes;
  probes.name = "golden";
  for (int64_t row = 0; row < shape[0]; ++row) {
    std::vector<int64_t> prompt;
    for (int64_t i = 0; i < shape[1]; ++i)
      prompt.push_back(static_cast<int64_t>(ids[static_cast<size_t>(row * shape[1] + i)]));
    probes.prompts.push_back(prompt);
  }
  return probes;
}

// Worst |difference| / max(1, max |reference|) of array [.., L+1, B, T(-1)] against a golden of the same
// order.
double worst(const Array& ours, const std::vector<double>& reference, int64_t rows, int64_t positions,
             int64_t compared, const std::function<double(double)>& convert) {
  double largest = 1, difference = 0;
  for (const double value : reference) largest = std::max(largest, std::abs(value));
  const int64_t layers = static_cast<int64_t>(reference.size()) / (rows * compared);
  for (int64_t l = 0; l < layers; ++l)
    for (int64_t b = 0; b < rows; ++b)
      for (int64_t t = 0; t < compared; ++t) {
        const double mine = convert(ours.number((l * rows + b) * positions + t));
        const double gap = std::abs(mine - reference[static_cast<size_t>((l * rows + b) * compared + t)]);
        difference = std::isnan(gap) ? INFINITY : std::max(difference, gap);
      }
  return difference / largest;
}

class LensGolden : public testing::TestWithParam<const char*> {};

TEST_P(LensGolden, EveryArrayOfTheIndependentLensIsReproduced) {
  const std::filesystem::path own = std::filesystem::path(VARVE_SOURCE) / "tests/golden" / GetParam();
  const std::filesystem::path shared = std::filesystem::path(VARVE_SHARED) / "goldens" / GetParam();
  const std::filesystem::path folder =
      std::filesystem::exists(shared / "analysis_lens.safetensors") ? shared : own;
  if (!std::filesystem::exists(folder / "analysis_lens.safetensors"))
    GTEST_SKIP() << "no lens golden of " << GetParam() << " here";
  const Golden golden(folder / "analysis_lens.safetensors");
  const TempFolder temp;
  Task task;
  import_series({.source = folder, .store = temp.path() / "g.varve"}, task);
  const auto store = RunStore::open(temp.path() / "g.varve");
  RunRequest request;
  request.analysis = "logit-lens";
  request.probes = rows_of(golden, "lens.input_ids");
  const RunReport report = run_analysis(store, request, task);
  const Dataset cell = store->result("logit-lens", report.cell_keys.at(0)).value();
  for (const Check& check : cell.checks) EXPECT_TRUE(check.passed) << check.name << " " << check.residual;

  const int64_t rows = static_cast<int64_t>(request.probes.prompts.size());
  const int64_t positions = request.probes.longest();
  const auto same = [](double x) { return x; };
  int64_t compared = 0;
  // The compact golden of a model whose vocabulary was cut holds no sums over the vocabulary.
  const auto expect = [&](const std::string& name, const Array& ours, int64_t columns, double limit,
                          const std::function<double(double)>& convert) {
    if (!golden.has(name)) return;
    EXPECT_LE(worst(ours, golden.numbers(name), rows, positions, columns, convert), limit) << name;
    ++compared;
  };
  expect("lens.entropy", cell["entropy"], positions, parity, same);
  expect("lens.kl_final_lens", cell["kl_final_lens"], positions, parity, same);
  expect("lens.kl_lens_final", cell["kl_lens_final"], positions, parity, same);
  expect("lens.next_logprob", cell["cross_entropy"], positions - 1, parity, [](double x) { return -x; });
  // The golden counts the tokens that beat the true one; our ranks begin at 1.
  expect("lens.next_rank", cell["rank_true"], positions - 1, 0, [](double x) { return x - 1; });
  expect("lens.top1", cell["top_id"].at("rank", 0), positions, 0, same);
  if (folder == shared) {
    EXPECT_EQ(compared, 6);
  }
  if (compared == 0) GTEST_SKIP() << "the compact golden of " << GetParam() << " holds no lens statistics";
}

INSTANTIATE_TEST_SUITE_P(Families, LensGolden, testing::Values("gpt2", "gpt_neox", "llama_gqa"),
                         [](const auto& which) { return std::string(which.param); });

// Mean L2 norm of the residual stream before block 1 and after each block.
struct NormReader : SiteReader {
  std::map<int64_t, std::pair<double, int64_t>> sums;
  bool wants(const std::string& site) const override {
    return site == "blocks.0.resid_pre" || site.ends_with(".resid_post");
  }
  void see(const Site& site) override {
    const int64_t layer = site.name.ends_with("_pre") ? 0 : site.layer + 1;
    const int64_t width = site.shape[1];
    for (int64_t r = 0; r < site.shape[0]; ++r) {
      double square = 0;
      for (int64_t i = 0; i < width; ++i) square += site.at(r * width + i) * site.at(r * width + i);
      sums[layer].first += std::sqrt(square);
      ++sums[layer].second;
    }
  }
};

TEST(SeriesGolden, InductionSeriesLossLensLossAndResidualNormAtEveryStep) {
  const std::filesystem::path folder = std::filesystem::path(VARVE_SHARED) / "goldens/series_induction_gpt2";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the induction series is not here";
  const Golden golden(folder / "golden_series.safetensors");
  const TempFolder temp;
  Task task;
  import_series({.source = folder, .store = temp.path() / "s.varve"}, task);
  const auto store = RunStore::open(temp.path() / "s.varve");
  RunRequest request;
  request.analysis = "logit-lens";
  request.probes = rows_of(golden, "eval_ids");
  const RunReport report = run_analysis(store, request, task);
  const std::vector<double> steps = golden.numbers("steps"), loss = golden.numbers("loss"),
                            lens_loss = golden.numbers("lens_loss"), norms = golden.numbers("resid_norm");
  const Array& ours = report.result["cross_entropy"];
  const int64_t layers = ours.extent("layer");
  ASSERT_EQ(steps.size(), report.steps.size());
  for (size_t s = 0; s < steps.size(); ++s) {
    SCOPED_TRACE(steps[s]);
    ASSERT_EQ(static_cast<int64_t>(steps[s]), report.steps[s]);
    EXPECT_NEAR(ours.number(static_cast<int64_t>(s) * layers + layers - 1), loss[s],
                parity * std::max(1.0, loss[s]));
    for (int64_t l = 0; l < layers; ++l) {
      const double reference = lens_loss[s * static_cast<size_t>(layers) + static_cast<size_t>(l)];
      EXPECT_NEAR(ours.number(static_cast<int64_t>(s) * layers + l), reference,
                  parity * std::max(1.0, reference));
    }
    NormReader reader;
    SiteReader* const readers[] = {&reader};
    forward(weights_of(store, store->series().checkpoints[s]), request.probes, Compute::f32, readers, task);
    for (const auto& [layer, sum] : reader.sums) {
      const double reference = norms[s * static_cast<size_t>(layers) + static_cast<size_t>(layer)];
      EXPECT_NEAR(sum.first / static_cast<double>(sum.second), reference, parity * std::max(1.0, reference));
    }
  }
}

}  // namespace
}  // namespace varve
