// Gradients of the reference models, at sites and of every parameter, against PyTorch.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "analysis/model/backward.h"
#include "loaders/import.h"
#include "tests/support/reference_file.h"
#include "tests/support/site_values.h"

namespace varve {
namespace {

// The contract's parity of gradients in f32, relative to the largest entry.
constexpr double parity = 2e-4;

class BackwardGolden : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(VARVE_SHARED) / "goldens" / GetParam();
    if (!std::filesystem::exists(folder_ / "golden_param_grads.safetensors"))
      GTEST_SKIP() << "no reference gradients at " << folder_.filename();
    const SeriesSource series = find_series(folder_);
    model_ = open_model(series, series.checkpoints.front());
    golden_ = std::make_unique<ReferenceArrays>(folder_ / "golden.safetensors");
    probes_.prompts = golden_->rows("batch.input_ids");
  }
  std::filesystem::path folder_;
  OpenedModel model_;
  std::unique_ptr<ReferenceArrays> golden_;
  Probes probes_;
};

TEST_P(BackwardGolden, SitesEqualTheReference) {
  const auto answers = golden_->rows("batch.grad.answer_ids");
  for (const auto& pair : answers) probes_.questions.push_back({{}, {pair[0]}, {pair[1]}, -1});
  const auto metric = question_metric(Answered::logit_difference, probes_);
  const int64_t layers = model_.weights->spec().layers;
  std::vector<std::string> names;
  for (int64_t layer = 0; layer < layers; ++layer)
    for (const char* part : {"resid_pre", "attn.z"})
      names.push_back(fmt::format("grad.blocks.{}.{}", layer, part));
  SiteValues seen(names);
  SiteReader* const readers[] = {&seen};
  Task task;
  double sum = 0;
  for (const double value : backward(*model_.weights, probes_, Compute::f32, *metric, readers, task))
    sum += value;
  const ReferenceArray total = (*golden_)("batch.grad.metric");
  EXPECT_NEAR(sum, total.values[0], parity * std::max(1.0, std::abs(total.values[0])));
  for (const char* part : {"resid_pre", "z"}) {
    std::vector<double> all;
    const std::string site = part == std::string("z") ? "attn.z" : part;
    for (int64_t layer = 0; layer < layers; ++layer)
      for (size_t prompt = 0; prompt < probes_.prompts.size(); ++prompt) {
        const auto& one = seen(fmt::format("grad.blocks.{}.{}", layer, site), static_cast<int64_t>(prompt));
        all.insert(all.end(), one.begin(), one.end());
      }
    EXPECT_LE(relative_error(all, (*golden_)(std::string("batch.grad.") + part)), parity) << part;
  }
}

// Lays each canonical gradient at the places of the file's tensors that its recipe takes.
struct IntoTheFile : ParameterReader {
  IntoTheFile(const CheckpointRecord& record, const ModelSpec& spec)
      : recipe(recipe_from_json(record.recipe)), places(spec, recipe, [this](const std::string& name) {
          return RawTensor{RawType::f64, shapes.at(name), std::as_bytes(std::span(numbered.at(name)))};
        }) {
    for (const TensorRecord& tensor : record.tensors) {
      shapes[tensor.name] = tensor.shape;
      size_t size = 1;
      for (const int64_t extent : tensor.shape) size *= static_cast<size_t>(extent);
      std::vector<double>& numbers = numbered[tensor.name];
      for (size_t i = 0; i < size; ++i) numbers.push_back(static_cast<double>(i));
      grown[tensor.name].assign(size, 0.0);
    }
  }
  bool wants(const std::string&) const override { return true; }
  void see(const std::string& name, const std::vector<int64_t>& shape, std::span<const float> f32,
           std::span<const double>) override {
    std::vector<double> at(f32.size());
    if (shape.size() == 1) {
      at = places.vector_f64(name);
    } else {
      const Matrix matrix = places.matrix(name);
      ASSERT_EQ(matrix.rows * matrix.columns, static_cast<int64_t>(f32.size())) << name;
      widen_rows(matrix, 0, matrix.rows, at.data());
    }
    std::vector<double>& into = grown.at(recipe.at(name).source);
    for (size_t i = 0; i < at.size(); ++i) into[static_cast<size_t>(at[i])] += f32[i];
  }
  TensorRecipe recipe;
  std::map<std::string, std::vector<int64_t>> shapes;
  std::map<std::string, std::vector<double>> numbered, grown;
  Weights places;
};

TEST_P(BackwardGolden, ParametersEqualTheReference) {
  const ReferenceArrays reference(folder_ / "golden_param_grads.safetensors");
  const auto metric = metric_from("nll", probes_, model_.weights->spec().vocab);
  IntoTheFile parameters(model_.checkpoint, model_.weights->spec());
  Task task;
  double loss = 0;
  for (const double value :
       backward(*model_.weights, probes_, Compute::f32, *metric, {}, task, {}, &parameters))
    loss += value;
  EXPECT_NEAR(loss, (*golden_)("loss.value").values[0], 1e-5);
  double largest = 0;
  for (const std::string& name : reference.names()) largest = std::max(largest, reference(name).largest());
  for (const std::string& name : reference.names()) {
    const ReferenceArray expected = reference(name);
    ASSERT_EQ(parameters.grown.count(name), 1u) << name;
    const std::vector<double>& found = parameters.grown.at(name);
    ASSERT_EQ(found.size(), expected.values.size()) << name;
    double worst = 0;
    for (size_t i = 0; i < found.size(); ++i)
      worst = std::max(worst, std::abs(found[i] - expected.values[i]));
    // A key's bias changes nothing: its gradient is rounding, so it is held to the largest of all.
    const bool nothing = name.find("k_proj.bias") != std::string::npos;
    EXPECT_LE(worst, parity * (nothing ? largest : expected.largest())) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, BackwardGolden, testing::Values("gpt2", "gpt_neox", "llama_gqa", "qwen2"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace varve
