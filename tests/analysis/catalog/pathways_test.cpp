// Pathways of a planted router against strings and distances worked out from its table by plain code.
#include "analysis/pathways/pathway.h"

#include <algorithm>
#include <cmath>

#include "analysis/pathways/pathway_series.h"
#include "tests/analysis/planted_series.h"

namespace varve {
namespace {

int64_t plain_distance(const std::string& a, const std::string& b) {
  std::vector<int64_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int64_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int64_t diagonal = row[0];
    row[0] = static_cast<int64_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int64_t above = row[j];
      row[j] = std::min({row[j - 1] + 1, above + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

// Samples whose sums and orders all lie far from a tie, so that rounding decides nothing.
const std::vector<std::vector<int64_t>> apart{{0, 1, 2, 3}, {0, 0, 0, 2}, {3, 3, 2, 1},
                                              {4, 5, 6, 7}, {5, 5, 4, 6}, {7, 6, 4, 4}};

std::string planted_text(int64_t step, int64_t prompt, double theta) {
  std::vector<std::vector<int64_t>> path;
  for (int64_t layer = 0; layer < 3; ++layer) {
    std::vector<double> mean(6, 0);
    for (const int64_t token : apart[static_cast<size_t>(prompt)])
      for (size_t e = 0; e < 6; ++e) mean[e] += planted_probabilities(step, layer, token)[e] / 4;
    path.push_back(layer_path(mean, theta));
  }
  return path_text(path);
}

using PlantedPathways = PlantedSeries;

bool says(const Dataset& data, const std::string& words) {
  return std::any_of(data.notes.begin(), data.notes.end(),
                     [&words](const std::string& note) { return note.find(words) != std::string::npos; });
}

TEST_F(PlantedPathways, DistancesAreThoseOfTheTable) {
  RunRequest request;
  request.analysis = "pathways";
  request.settings = {{"draws", "100"}, {"theta", "0.6"}};
  request.inputs = domains();
  request.probes.prompts = apart;
  const Dataset series = run_analysis(store_, request, task_).result;
  expect_passed(series);
  // all samples, A, B, across groups
  ASSERT_EQ(series.extent("pairs"), 4);
  for (int64_t s = 0; s < 3; ++s) {
    double within = 0, across = 0, shares = 0;
    for (int64_t i = 0; i < 6; ++i)
      for (int64_t j = i + 1; j < 6; ++j) {
        const std::string a = planted_text(planted_steps[static_cast<size_t>(s)], i, 0.6),
                          b = planted_text(planted_steps[static_cast<size_t>(s)], j, 0.6);
        const auto distance = static_cast<double>(plain_distance(a, b));
        if (i < 3 && j < 3) within += distance / 3;
        if (i < 3 && j >= 3) across += distance / 9;
        shares += distance / static_cast<double>(std::max(a.size(), b.size())) / 15;
      }
    EXPECT_NEAR(value(series, "distance", {s, 1}), within, 1e-12);
    EXPECT_NEAR(value(series, "distance", {s, 3}), across, 1e-12);
    EXPECT_NEAR(value(series, "distance_normalised", {s, 0}), shares, 1e-12);
    EXPECT_EQ(value(series, "distance_layer", {s, 0, 0}), 0) << "everyone takes the same way in layer 0";
    EXPECT_GT(value(series, "distance_layer", {s, 2, 3}), 0) << "the domains part in layer 2";
  }
  EXPECT_EQ(value(series, "distance_n", {0, 3}), 9);
  EXPECT_EQ(series["pair_count"].number(0), 15);
  EXPECT_EQ(value(series, "top_expert", {0, 2, 5}), 2);
  EXPECT_EQ(series["sample_group"].text(5), "B");
}

TEST_F(PlantedPathways, TheMatrixHoldsEveryPairsDistanceGroupByGroup) {
  RunRequest request;
  request.analysis = "pathways";
  request.settings = {{"draws", "50"}, {"theta", "0.6"}};
  Dataset mixed;
  mixed.set("groups", Array({"row"}, {6}, std::vector<std::string>{"B", "A", "B", "A", "", "A"}));
  request.inputs = {{"groups", mixed}};
  request.probes.prompts = apart;
  const Dataset series = run_analysis(store_, request, task_).result;
  const std::vector<int64_t> order{1, 3, 5, 0, 2, 4};  // A, then B, then the one without a group
  ASSERT_EQ(series.extent("sample"), 6);
  EXPECT_EQ(series.coord("sample")->text(0), "A 1");
  EXPECT_EQ(series.coord("sample_2")->text(3), "B 0");
  EXPECT_EQ(series.coord("sample")->text(5), "4");
  for (int64_t s = 0; s < 3; ++s)
    for (int64_t i = 0; i < 6; ++i)
      for (int64_t j = 0; j < 6; ++j) {
        const std::string a = planted_text(planted_steps[static_cast<size_t>(s)],
                                           order[static_cast<size_t>(i)], 0.6),
                          b = planted_text(planted_steps[static_cast<size_t>(s)],
                                           order[static_cast<size_t>(j)], 0.6);
        EXPECT_NEAR(
            value(series, "pair_distance", {s, i, j}),
            static_cast<double>(plain_distance(a, b)) / static_cast<double>(std::max(a.size(), b.size())),
            1e-12);
      }
  request.settings["matrix"] = "4";
  const Dataset few = run_analysis(store_, request, task_).result;
  EXPECT_EQ(few.extent("sample"), 3) << "one of each group and one without";
  EXPECT_TRUE(says(few, "3 of 6 samples"));
  request.settings["matrix"] = "0";
  EXPECT_FALSE(run_analysis(store_, request, task_).result.has("pair_distance"));
}

TEST_F(PlantedPathways, ConsistencyFollowsFromTheRoutersRows) {
  const RunReport report = run("pathways", {{"draws", "50"}}, domains());
  for (size_t s = 0; s < 3; ++s) {
    double mean = 0;
    for (int64_t prompt = 0; prompt < 6; ++prompt) {
      std::vector<std::vector<double>> embeddings;
      for (int64_t layer = 0; layer < 3; ++layer) {
        const std::vector<double> g = mean_weights(planted_steps[s], layer, prompt);
        std::vector<double>& e = embeddings.emplace_back(8, 0.0);
        for (int64_t token = 0; token < 8; ++token)
          for (size_t k = 0; k < 6; ++k)
            e[static_cast<size_t>(token)] +=
                g[k] * std::log(planted_probabilities(planted_steps[s], layer, token)[k]) / std::sqrt(8.0);
      }
      mean += consistency_of(embeddings).inconsistency / 6;
    }
    EXPECT_NEAR(value(report.result, "inconsistency", {static_cast<int64_t>(s), 0}), mean, 1e-6);
    EXPECT_NEAR(value(report.result, "consistency", {static_cast<int64_t>(s), 0}), 1 - mean, 1e-6);
    EXPECT_EQ(report.result["flagged"].number(static_cast<int64_t>(s)), 0);
  }
}

TEST_F(PlantedPathways, ThetaAndWeightsAreSettingsThatComputeNoCellAgain) {
  EXPECT_EQ(run("pathways", {{"draws", "50"}}).computed, 3);
  const RunReport wide = run("pathways", {{"draws", "50"}, {"theta", "0.95"}});
  EXPECT_EQ(wide.computed, 0);
  EXPECT_GT(wide.result["path_length"].number(0), 4);
  const RunReport chosen = run("pathways", {{"draws", "50"}, {"weights", "topk-renorm"}});
  EXPECT_EQ(chosen.computed, 0);
  EXPECT_EQ(chosen.result["path_length"].number(0), 2) << "two experts hold all of the renormalised weight";
  EXPECT_EQ(run("routing").computed, 0) << "routing and pathways share their cells";
}

TEST_F(PlantedPathways, ImportedWeightsGiveTheSameDistances) {
  const RunReport model = run("pathways", {{"draws", "50"}}, domains());
  const RunReport routing = run("routing");
  std::vector<const Dataset*> in_order;
  std::vector<Dataset> cells;
  for (const std::string& key : routing.cell_keys) cells.push_back(store_->result("routing", key).value());
  for (const Dataset& cell : cells) in_order.push_back(&cell);
  const Dataset joined = join_steps(routing.steps, in_order);
  Dataset table;
  table.set("weights", joined["weight"]);
  table.set_coord("step", *joined.coord("step"));
  Inputs inputs = domains();
  inputs["weights"] = table;
  const RunReport imported = run("pathways", {{"draws", "50"}}, inputs);
  EXPECT_TRUE(imported.result["distance"].same_values(model.result["distance"]));
  EXPECT_FALSE(imported.result.has("consistency"));
  Dataset plain;  // as a file of plain arrays is read
  const Array& numbers = joined["weight"];
  plain.set("weights", Array({"step", "column", "layer", "component"}, numbers.shape(), numbers.values()));
  plain.set_coord("step", *joined.coord("step"));
  inputs["weights"] = plain;
  EXPECT_TRUE(
      run("pathways", {{"draws", "50"}}, inputs).result["distance"].same_values(model.result["distance"]));
}

TEST_F(PlantedPathways, FewSamplesTakeAllPairsAndManyTakeThatMany) {
  const Groups groups{{"all samples"}, std::vector<int64_t>(50, 0), {50}, false};
  const std::vector<PairSet> all = pair_sets(groups, 2000, 1), some = pair_sets(groups, 100, 1);
  EXPECT_EQ(all[0].pairs.size(), 1225U);
  EXPECT_TRUE(all[0].complete);
  EXPECT_EQ(some[0].pairs.size(), 100U);
  std::vector<SamplePair> sorted = some[0].pairs;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end()) << "no pair is drawn twice";
  EXPECT_EQ(pair_sets(groups, 100, 1)[0].pairs, some[0].pairs) << "the same pairs at every checkpoint";
}

TEST_F(PlantedPathways, NearTiesAroundThetaAreReported) {
  Array weights({"step", "layer", "prompt", "expert"}, {1, 1, 2, 3},
                std::vector<double>{.7000001, .2, .0999999, .5, .3, .2});
  const Groups groups{{"all samples"}, {0, 0}, {2}, false};
  Task task;
  const Dataset series = pathway_distances(weights, groups, {.bootstrap = 50}, task);
  EXPECT_EQ(series["near_theta"].number(0), 1);
  bool said = false;
  for (const std::string& note : series.notes) said = said || note.find("Near ties") != std::string::npos;
  EXPECT_TRUE(said);
}

}  // namespace
}  // namespace varve
