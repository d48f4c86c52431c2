// Datasets: shared axes, slices, and cells joined over steps.
#include "analysis/core/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/core/error.h"

namespace varve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Array line(const std::string& axis, std::vector<double> values) {
  const auto count = static_cast<int64_t>(values.size());
  return Array({axis}, {count}, std::move(values));
}

Dataset cell(double value) {
  Dataset data;
  data.set("loss", line("layer", {value, value + 1}));
  data.title = "Loss";
  return data;
}

template <class Work>
std::string complaint(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Dataset, SharedAxesHaveOneExtent) {
  Dataset data = cell(1);
  EXPECT_THROW(data.set("entropy", line("layer", {1, 2, 3})), Error);
  data.set("loss", line("layer", {1, 2, 3}));  // alone on its axis, so it may change
  EXPECT_EQ(data.extent("layer"), 3);
}

TEST(Dataset, TicksMustFitTheAxisWhicheverComesFirst) {
  Dataset data = cell(1);
  EXPECT_THROW(data.set_coord("layer", line("layer", {0, 1, 2})), Error);
  EXPECT_THROW(data.set_coord("layer", line("head", {0, 1})), Error);
  data.set_coord("head", line("head", {0, 1, 2}));
  EXPECT_THROW(data.set("by_head", line("head", {0, 1})), Error);
}

TEST(Dataset, AMissingArrayIsRefusedWithTheNamesThereAre) {
  const Dataset data = cell(1);
  EXPECT_THAT(complaint([&] { data["los"]; }), HasSubstr("loss"));
  EXPECT_FALSE(data.has("los"));
  EXPECT_THROW(data.extent("vocab"), Error);
}

TEST(Dataset, AxesStandInHouseOrderThenByName) {
  Dataset data;
  data.set("x", Array::empty(Dtype::f32, {"zebra", "bin", "apple", "pos", "step", "component", "row"},
                             {1, 1, 1, 1, 1, 1, 1}));
  EXPECT_THAT(data.axes(), ElementsAre("step", "pos", "bin", "row", "component", "apple", "zebra"));
}

TEST(Dataset, ASliceTakesEveryArrayThatHasTheAxis) {
  Dataset data = cell(5);
  data.set("whole", Array::scalar(7));
  data.set_coord("layer", line("layer", {10, 20}));
  data.notes = {"a note"};
  const Dataset slice = data.at("layer", 1);
  EXPECT_EQ(slice["loss"].number(0), 6);
  EXPECT_EQ(slice["whole"].number(0), 7);
  EXPECT_FALSE(slice.has_axis("layer"));
  EXPECT_EQ(slice.notes, data.notes);
  EXPECT_THROW(data.at("layer", 2), Error);
  EXPECT_THROW(data.at("pos", 0), Error);
}

TEST(Dataset, SameValuesLooksAtArraysAndTicksOnly) {
  Dataset a = cell(1), b = cell(1);
  b.title = "other";
  EXPECT_TRUE(a.same_values(b));
  b.set_coord("layer", line("layer", {0, 1}));
  EXPECT_FALSE(a.same_values(b));
  EXPECT_FALSE(a.same_values(cell(2)));
}

TEST(JoinSteps, TheSliceAtAStepIsItsCell) {
  const Dataset early = cell(1), late = cell(5);
  const Dataset joined = join_steps({0, 512}, {&early, &late});
  EXPECT_TRUE(joined.at("step", 0).same_values(early));
  EXPECT_TRUE(joined.at("step", 1).same_values(late));
  EXPECT_EQ(joined.coord("step")->as<int64_t>()[1], 512);
  EXPECT_EQ(joined.title, "Loss");
}

TEST(JoinSteps, CellsWithOtherArraysAreRefused) {
  const Dataset first = cell(1);
  Dataset more = cell(1), longer, other_type;
  more.set("entropy", Array::scalar(1));
  longer.set("loss", line("layer", {1, 2, 3}));
  other_type.set("loss", Array({"layer"}, {2}, std::vector<float>{1, 2}));
  EXPECT_THAT(complaint([&] { join_steps({1, 2}, {&first, &more}); }), HasSubstr("entropy"));
  EXPECT_THAT(complaint([&] { join_steps({1, 2}, {&first, &longer}); }), HasSubstr("'layer'"));
  EXPECT_THAT(complaint([&] { join_steps({1, 2}, {&first, &other_type}); }), HasSubstr("f32"));
}

TEST(JoinSteps, NeedsOneCellForEachStep) {
  const Dataset one = cell(1);
  EXPECT_THROW(join_steps({1, 2}, {&one}), Error);
  EXPECT_THROW(join_steps({}, {}), Error);
}

TEST(JoinSteps, AJoinedDatasetIsNotJoinedAgain) {
  const Dataset one = cell(1);
  const Dataset joined = join_steps({1}, {&one});
  EXPECT_THAT(complaint([&] { join_steps({1}, {&joined}); }), HasSubstr("already"));
}

TEST(JoinSteps, SharedTicksStayAndDifferingTicksAreTold) {
  Dataset a = cell(1), b = cell(2);
  a.set("by_head", line("head", {1, 2}));
  b.set("by_head", line("head", {1, 2}));
  a.set_coord("layer", line("layer", {3, 4}));
  b.set_coord("layer", line("layer", {3, 4}));
  a.set_coord("head", line("head", {0, 1}));
  b.set_coord("head", line("head", {0, 2}));
  const Dataset joined = join_steps({1, 2}, {&a, &b});
  EXPECT_NE(joined.coord("layer"), nullptr);
  EXPECT_EQ(joined.coord("head"), nullptr);
  EXPECT_THAT(joined.notes, ElementsAre(HasSubstr("'head'")));
}

TEST(JoinSteps, NotesAreMergedAndOnlySharedProvenanceStays) {
  Dataset a = cell(1), b = cell(2);
  a.notes = {"same", "mine"};
  b.notes = {"same", "yours"};
  a.provenance = {{"analysis", "loss"}, {"key", "1"}};
  b.provenance = {{"analysis", "loss"}, {"key", "2"}};
  const Dataset joined = join_steps({1, 2}, {&a, &b});
  EXPECT_THAT(joined.notes, ElementsAre("same", "mine", "yours"));
  EXPECT_EQ(joined.provenance, (std::map<std::string, std::string>{{"analysis", "loss"}}));
}

TEST(JoinSteps, ChecksKeepTheWorstResidualAndCountAll) {
  Dataset a = cell(1), b = cell(2);
  a.checks = {{"sum", 1e-6, 1e-5, 10, true, "a"}};
  b.checks = {{"sum", 1e-4, 1e-5, 20, false, "b"}};
  const Dataset joined = join_steps({1, 2}, {&a, &b});
  ASSERT_EQ(joined.checks.size(), 1u);
  EXPECT_EQ(joined.checks[0].residual, 1e-4);
  EXPECT_EQ(joined.checks[0].n, 30);
  EXPECT_FALSE(joined.checks[0].passed);
  EXPECT_EQ(joined.checks[0].detail, "b");
}

TEST(JoinSteps, AResidualThatIsNoNumberIsTheWorst) {
  Dataset a = cell(1), b = cell(2);
  a.checks = {{"sum", std::nan(""), 1, 1, true, ""}};
  b.checks = {{"sum", 0.5, 1, 1, true, ""}};
  EXPECT_TRUE(std::isnan(join_steps({1, 2}, {&a, &b}).checks[0].residual));
  EXPECT_TRUE(std::isnan(join_steps({1, 2}, {&b, &a}).checks[0].residual));
}

}  // namespace
}  // namespace varve
