// What was chosen, written and read back; and what a damaged text leaves of it.
#include "app/session/choice_json.h"

#include <gtest/gtest.h>

#include "analysis/core/error.h"
#include "app/session/layouts.h"

namespace varve {
namespace {

Choice full() {
  Choice choice;
  choice.step = 16000;
  choice.branch = "sft";
  choice.selection.at = {{"layer", 9}, {"pos", 13}};
  choice.pin = 512;
  choice.brush = {{1000, 4000}};
  choice.set = {.name = "", .axis = "head", .members = {{{"layer", 5}, {"head", 1}}}};
  choice.sets = {{.name = "mine", .axis = "pos", .members = {{{"pos", 3}}}}};
  choice.analysis = "logit-lens";
  choice.asked["logit-lens"] = {.text = "The \"cat\"\n",
                                .settings = {{"top_k", "8"}},
                                .branch = "sft",
                                .compute = "f64",
                                .steps = {0, 512}};
  choice.bench = ready_layout(1);
  choice.bench.views[0].options["colour"] = "entropy";
  choice.bench.views[1].own_step = 4000;
  choice.bench.views[1].own_layer = 3;
  choice.bench.views[2].against = OpenView::Against::difference;
  choice.bench.views[2].title = "Mine";
  choice.bench.views[2].result = {.analysis = "x", .which = ResultRef::Which::stored, .key = "abc"};
  choice.bench.filled = 2;
  return choice;
}

TEST(ChoiceJson, EverythingComesBack) {
  EXPECT_EQ(choice_of(json_of(full())), full());
  for (int number = 1; number <= 4; ++number)
    EXPECT_EQ(bench_of(json_of(ready_layout(number))), ready_layout(number));
}

TEST(ChoiceJson, WhatIsMissingOrOfAnotherKindGetsItsDefault) {
  EXPECT_EQ(choice_of("{}"), Choice{});
  EXPECT_EQ(choice_of(R"({"step": "x", "selection": [1], "bench": 5, "asked": {"a": 1}, "brush": [1]})"),
            Choice{});
  EXPECT_THROW(choice_of("[1, 2"), Error);
  EXPECT_THROW(choice_of("7"), Error);
}

TEST(ChoiceJson, TilesWithoutTheirViewsAreLaidOutAnew) {
  const Bench bench = bench_of(
      R"({"views": [{"id": 1, "view": "lines"}, {"id": 1}, {"id": -4}, {"id": 3}],
          "tiles": {"row": [{"views": [1]}, {"views": [7]}], "shares": [5, "x"]}, "active": 9, "filled": 9})");
  EXPECT_EQ(bench.views.size(), 2U);
  EXPECT_EQ(views_in(bench.tiles), (std::vector<int64_t>{1, 3}));
  EXPECT_EQ(bench.active, 1);
  EXPECT_EQ(bench.filled, 0);
  EXPECT_EQ(bench.next_id, 4);
}

TEST(ChoiceJson, ADeepOrBrokenTreeIsNoTrouble) {
  std::string tiles = "{\"views\": [1]}";
  for (int i = 0; i < 4000; ++i) tiles = "{\"row\": [" + tiles + "]}";
  const Bench bench = bench_of("{\"views\": [{\"id\": 1}], \"tiles\": " + tiles + "}");
  EXPECT_EQ(views_in(bench.tiles), (std::vector<int64_t>{1}));
}

}  // namespace
}  // namespace varve
