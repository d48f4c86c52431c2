// Routing means against a planted table, against arrays computed by other code, and against its own per-token
// sites.
#include <cmath>
#include <cstring>
#include <filesystem>

#include "loaders/format.h"
#include "loaders/table.h"
#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

TEST_F(PlantedSeries, RoutingReadsTheTableBack) {
  const RunReport report = run("routing", {{"tokens", "true"}}, domains());
  for (size_t s = 0; s < planted_steps.size(); ++s) {
    const Dataset cell = store_->result("routing", report.cell_keys[s]).value();
    expect_passed(cell);
    for (int64_t layer = 0; layer < 3; ++layer)
      for (int64_t prompt = 0; prompt < 6; ++prompt) {
        const std::vector<double> mean = mean_weights(planted_steps[s], layer, prompt);
        double entropy = 0;
        for (int64_t e = 0; e < 6; ++e) {
          EXPECT_NEAR(value(cell, "weight", {layer, prompt, e}), mean[static_cast<size_t>(e)],
                      planted_rounding);
          entropy -= mean[static_cast<size_t>(e)] * std::log(mean[static_cast<size_t>(e)]);
        }
        EXPECT_NEAR(value(cell, "entropy", {layer, prompt}), entropy, 1e-5);
      }
    EXPECT_EQ(value(cell, "load", {0, 0}), 1) << "every token chooses expert 0 in layer 0";
    EXPECT_EQ(value(cell, "load", {0, 5}), 0);
    EXPECT_NEAR(value(cell, "margin", {0, 2}), .05, planted_rounding) << ".25 before .20";
    EXPECT_EQ(value(cell, "topk_index", {0, 3, 2, 0}), 0);
    EXPECT_EQ(value(cell, "topk_index", {1, 3, 3, 0}), 2) << "token 7 of the second domain";
    // Chosen weights renormalised: .30 and .25 of .55.
    EXPECT_NEAR(value(cell, "weight_topk", {0, 1, 0}), .30 / .55, planted_rounding);
    EXPECT_EQ(value(cell, "weight_topk", {0, 1, 2}), 0);
  }
  EXPECT_NEAR(value(report.result, "group_weight", {0, 2, 1, 2}),
              (mean_weights(10, 2, 3)[2] + mean_weights(10, 2, 4)[2] + mean_weights(10, 2, 5)[2]) / 3,
              planted_rounding);
  EXPECT_EQ(value(report.result, "entropy_n", {0, 0}), 6);
  EXPECT_LE(value(report.result, "entropy_low", {0, 1}), value(report.result, "entropy", {0, 1}));
}

TEST_F(PlantedSeries, AnotherGroupingComputesNoCellAgain) {
  EXPECT_EQ(run("routing", {}, domains()).computed, 3);
  Inputs other = domains();
  other["groups"].set("groups", Array({"row"}, {6}, std::vector<std::string>{"x", "y", "x", "y", "x", ""}));
  const RunReport again = run("routing", {}, other);
  EXPECT_EQ(again.computed, 0);
  EXPECT_FALSE(again.reduce_cached);
  EXPECT_EQ(again.result["group_size"].number(0), 3);
  EXPECT_TRUE(run("routing", {}, other).reduce_cached);
}

TEST_F(PlantedSeries, AnUnknownInputIsRefusedWithTheNearest) {
  try {
    run("routing", {}, {{"group", domains().at("groups")}});
    FAIL() << "an undeclared input was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::usage);
    EXPECT_NE(std::string(error.what()).find("groups"), std::string::npos);
  }
}

// One array of a reference file, as doubles.
struct Reference {
  std::vector<int64_t> shape;
  std::vector<double> values;
};
class ReferenceFile {
 public:
  explicit ReferenceFile(const std::filesystem::path& path)
      : file_(formats().get("safetensors").open(path)) {}
  bool has(const std::string& name) const {
    for (const FileTensor& tensor : file_->tensors())
      if (tensor.name == name) return true;
    return false;
  }
  Reference operator()(const std::string& name) const {
    for (const FileTensor& tensor : file_->tensors()) {
      if (tensor.name != name) continue;
      Reference reference{tensor.view.shape, {}};
      const std::byte* at = tensor.view.bytes.data();
      for (int64_t i = 0; i < tensor.view.count(); ++i) {
        if (tensor.view.type == TensorType::f32) reference.values.push_back(read<float>(at, i));
        if (tensor.view.type == TensorType::i64) reference.values.push_back(read<int64_t>(at, i));
        if (tensor.view.type == TensorType::i32) reference.values.push_back(read<int32_t>(at, i));
      }
      return reference;
    }
    fail("no array '{}'", name);
  }

 private:
  template <class Stored>
  static double read(const std::byte* at, int64_t i) {
    Stored value;
    std::memcpy(&value, at + static_cast<size_t>(i) * sizeof value, sizeof value);
    return static_cast<double>(value);
  }
  std::unique_ptr<TensorFile> file_;
};

std::vector<std::vector<int64_t>> rows_of(const Reference& ids) {
  std::vector<std::vector<int64_t>> prompts;
  const int64_t width = ids.shape.back();
  for (size_t i = 0; i < ids.values.size(); i += static_cast<size_t>(width)) {
    prompts.emplace_back();
    for (int64_t k = 0; k < width; ++k)
      prompts.back().push_back(static_cast<int64_t>(ids.values[i + static_cast<size_t>(k)]));
  }
  return prompts;
}

// Compares a cell's per-token choices with logits [row, experts] of other code, and means with their softmax.
// Where two experts are nearer than rounding their order is nobody's to say.
void expect_choices(const Dataset& cell, int64_t layer, int64_t prompt, int64_t pos,
                    std::span<const double> logits, std::span<const double> ids,
                    std::span<const double> weights) {
  const Array& index = cell["topk_index"];
  const int64_t ranks = index.extent("rank");
  double mass = 0;
  for (const double z : logits) mass += std::exp(z);
  for (int64_t rank = 0; rank < ranks; ++rank) {
    const int64_t at[] = {layer, prompt, pos, rank};
    const auto ours = static_cast<size_t>(index.number(index.flat(at)));
    const auto theirs = static_cast<size_t>(ids[static_cast<size_t>(rank)]);
    const double gap = std::abs(std::exp(logits[ours]) - std::exp(logits[theirs])) / mass;
    EXPECT_TRUE(ours == theirs || gap < 1e-5) << "layer " << layer << " prompt " << prompt << " pos " << pos;
    EXPECT_NEAR(cell["topk_weight"].number(cell["topk_weight"].flat(at)), weights[static_cast<size_t>(rank)],
                2e-5);
  }
}

class RouterGolden : public testing::TestWithParam<std::string> {};

void expect_routers(const std::filesystem::path& folder, const ReferenceFile& golden,
                    const std::string& prompt_name) {
  TempFolder temp;
  Task task;
  import_series({.source = folder, .store = temp.path() / "s.varve"}, task);
  RunRequest request;
  request.analysis = "routing";
  request.settings = {{"tokens", "true"}};
  request.probes = Probes{rows_of(golden(prompt_name + ".input_ids")), "golden"};
  const auto store = RunStore::open(temp.path() / "s.varve");
  const Dataset cell = store->result("routing", run_analysis(store, request, task).cell_keys[0]).value();
  const Reference logits = golden(prompt_name + ".router_logits"), ids = golden(prompt_name + ".topk_index"),
                  weights = golden(prompt_name + ".topk_weight");
  const int64_t layers = logits.shape[0], prompts = logits.shape[1], places = logits.shape[2],
                experts = logits.shape[3], ranks = ids.shape[3];
  ASSERT_EQ(cell.extent("layer"), layers);
  for (int64_t layer = 0; layer < layers; ++layer)
    for (int64_t prompt = 0; prompt < prompts; ++prompt) {
      std::vector<double> mean(static_cast<size_t>(experts), 0);
      for (int64_t pos = 0; pos < places; ++pos) {
        const auto row = static_cast<size_t>((layer * prompts + prompt) * places + pos);
        const auto pick = [&](const Reference& all, int64_t width) {
          return std::span(all.values).subspan(row * static_cast<size_t>(width), static_cast<size_t>(width));
        };
        const auto z = pick(logits, experts);
        expect_choices(cell, layer, prompt, pos, z, pick(ids, ranks), pick(weights, ranks));
        double mass = 0;
        for (const double one : z) mass += std::exp(one);
        for (size_t e = 0; e < mean.size(); ++e)
          mean[e] += std::exp(z[e]) / mass / static_cast<double>(places);
      }
      for (int64_t e = 0; e < experts; ++e) {
        const int64_t at[] = {layer, prompt, e};
        EXPECT_NEAR(cell["weight"].number(cell["weight"].flat(at)), mean[static_cast<size_t>(e)], 2e-5);
      }
    }
}

TEST_P(RouterGolden, ChoicesAndMeansAreThoseOfTheReference) {
  int64_t compared = 0;
  for (const char* root : {VARVE_SOURCE "/tests/golden", VARVE_SHARED "/goldens"}) {
    const std::filesystem::path folder = std::filesystem::path(root) / GetParam();
    if (!std::filesystem::exists(folder / "golden.safetensors")) continue;
    const ReferenceFile golden(folder / "golden.safetensors");
    for (const std::string prompt : {"batch", "cut", "short"})
      if (golden.has(prompt + ".router_logits")) {
        expect_routers(folder, golden, prompt);
        ++compared;
      }
  }
  EXPECT_GE(compared, 2);
}

INSTANTIATE_TEST_SUITE_P(Families, RouterGolden, testing::Values("olmoe", "mixtral", "qwen2_moe"),
                         [](const auto& one) { return one.param; });

TEST(RoutingSeries, EveryStepOfAGrokkingMixtureGivesTheReferenceRouters) {
  const std::filesystem::path folder = std::filesystem::path(VARVE_SHARED) / "goldens/series_moe_modadd";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the reference series is not here";
  const ReferenceFile golden(folder / "golden_series.safetensors");
  const Reference all_ids = golden("all_ids"), rows = golden("probe_rows"), steps = golden("steps"),
                  logits = golden("probe_router_logits"), ids = golden("probe_topk_index"),
                  weights = golden("probe_topk_weight");
  const std::vector<std::vector<int64_t>> everything = rows_of(all_ids);
  RunRequest request;
  for (const double row : rows.values) request.probes.prompts.push_back(everything[static_cast<size_t>(row)]);
  request.analysis = "routing";
  request.settings = {{"tokens", "true"}};
  TempFolder temp;
  Task task;
  import_series({.source = folder, .store = temp.path() / "s.varve"}, task);
  const auto store = RunStore::open(temp.path() / "s.varve");
  const RunReport report = run_analysis(store, request, task);
  ASSERT_EQ(report.steps.size(), steps.values.size());
  const int64_t layers = logits.shape[1], prompts = logits.shape[2], places = logits.shape[3],
                experts = logits.shape[4], ranks = ids.shape[4];
  for (size_t s = 0; s < report.steps.size(); ++s) {
    ASSERT_EQ(report.steps[s], static_cast<int64_t>(steps.values[s]));
    const Dataset cell = store->result("routing", report.cell_keys[s]).value();
    for (int64_t layer = 0; layer < layers; ++layer)
      for (int64_t prompt = 0; prompt < prompts; ++prompt)
        for (int64_t pos = 0; pos < places; ++pos) {
          const auto row = static_cast<size_t>(
              ((static_cast<int64_t>(s) * layers + layer) * prompts + prompt) * places + pos);
          const auto pick = [&](const Reference& all, int64_t width) {
            return std::span(all.values)
                .subspan(row * static_cast<size_t>(width), static_cast<size_t>(width));
          };
          expect_choices(cell, layer, prompt, pos, pick(logits, experts), pick(ids, ranks),
                         pick(weights, ranks));
        }
  }
}

TEST(RoutingSeries, TinyOlmoeMeansAreThoseOfTheReference) {
  const std::filesystem::path shared = std::filesystem::path(VARVE_SHARED) / "series";
  if (!std::filesystem::exists(shared / "golden/tiny-olmoe"))
    GTEST_SKIP() << "the reference series is not here";
  const Dataset samples = read_table((shared / "tiny-olmoe/samples.npz").string() + ":ids");
  const Dataset golden = read_table((shared / "golden/tiny-olmoe/routing_mean.npz").string());
  RunRequest request;
  request.analysis = "routing";
  const int64_t width = samples["ids"].shape()[1];
  for (int64_t i = 0; i < golden["sample_index"].size(); ++i) {
    const auto sample = static_cast<int64_t>(golden["sample_index"].number(i));
    request.probes.prompts.emplace_back();
    for (int64_t k = 0; k < width; ++k)
      request.probes.prompts.back().push_back(
          static_cast<int64_t>(samples["ids"].number(sample * width + k)));
  }
  TempFolder temp;
  Task task;
  import_series({.source = std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-olmoe",
                 .store = temp.path() / "s.varve"},
                task);
  const auto store = RunStore::open(temp.path() / "s.varve");
  for (int64_t i = 0; i < golden.extent("step"); ++i)
    request.steps.push_back(static_cast<int64_t>(golden.coord("step")->number(i)));
  const RunReport report = run_analysis(store, request, task);
  const int64_t prompts = golden["sample_index"].size();
  for (size_t s = 0; s < report.steps.size(); ++s) {
    const Dataset cell = store->result("routing", report.cell_keys[s]).value();
    double worst = 0;
    for (int64_t p = 0; p < prompts; ++p)
      for (int64_t layer = 0; layer < 4; ++layer)
        for (int64_t e = 0; e < 16; ++e) {
          const int64_t ours[] = {layer, p, e};
          const int64_t theirs = ((static_cast<int64_t>(s) * prompts + p) * 4 + layer) * 16 + e;
          worst = std::max(worst, std::abs(cell["weight"].number(cell["weight"].flat(ours)) -
                                           golden["weight"].number(theirs)));
        }
    EXPECT_LT(worst, 1e-5) << "step " << report.steps[s];
  }
  // Near ties between the 4th and 5th expert are there, and they are said.
  bool said = false;
  for (const std::string& note : report.result.notes)
    said = said || note.find("Near ties") != std::string::npos;
  EXPECT_TRUE(said);
}

}  // namespace
}  // namespace varve
