// Words of the run form, and the runs that are remembered.
#include "app/session/run_form.h"

#include <gtest/gtest.h>

#include <fstream>

#include "app/session/recent_runs.h"
#include "app/session/recent_series.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

SettingInfo integer(Range range) {
  SettingInfo info;
  info.name = "starts";
  info.kind = SettingKind::integer;
  info.default_text = "1";
  info.range = range;
  return info;
}

TEST(RunForm, AFieldSaysWhatItNeedsInFewWords) {
  EXPECT_EQ(setting_problem(integer({.low = 1}), "0"), "1 or more");
  EXPECT_EQ(setting_problem(integer({.low = 1, .high = 1000}), "x"), "1 to 1,000");
  EXPECT_EQ(setting_problem(integer({.high = 8}), "9"), "8 or less");
  EXPECT_EQ(setting_problem(integer({}), "1.5"), "a whole number");
  EXPECT_EQ(setting_problem(integer({.low = 1}), "3"), std::nullopt);
  SettingInfo choice;
  choice.name = "norm";
  choice.kind = SettingKind::choice;
  choice.default_text = "layer";
  choice.choices = {"layer", "final"};
  EXPECT_EQ(setting_problem(choice, "other"), "one of layer, final");
}

TEST(RunForm, ArithmeticIsSaidInItsUnit) {
  EXPECT_EQ(show_flops(3.42e12), "3.42 TFLOP");
  EXPECT_EQ(show_flops(9.99e8), "999 MFLOP");
}

TEST(RunForm, CostsWithoutAForwardNameNoTime) {
  Estimate estimate;
  estimate.cells_cached = 1;
  estimate.cells_to_compute = 3;
  const std::vector<std::string> lines = cost_lines(estimate, {});
  EXPECT_EQ(lines.front(), "1 of 4 cells is there");
  EXPECT_EQ(lines.back(), "reads weights only, no forward");
}

TEST(RunForm, MemoryIsASizeOrNothing) {
  EXPECT_EQ(memory_in("2 GB"), 2'000'000'000);
  EXPECT_EQ(memory_in(""), 0);
  expect_error([] { memory_in("much"); }, {"a size, as in 2 GB"});
  expect_error([] { memory_in("0"); }, {"a size, as in 2 GB"});
}

TEST(RunForm, WhatReadsNoCheckpointSaysSo) {
  EXPECT_EQ(cost_lines({}, {}), (std::vector<std::string>{"Made of what is given", "no checkpoint is read"}));
}

TEST(RecentRuns, TheNewestComesFirstAndEachOnlyOnce) {
  std::vector<RunForm> forms;
  RunForm a{.analysis = "logit-lens", .settings = {{"top_k", "3"}}, .text = "the “king”"}, b = a;
  b.steps = RunForm::Steps::list;
  b.list = "0,last";
  remember_run(forms, a);
  remember_run(forms, b);
  remember_run(forms, a);
  EXPECT_EQ(forms, (std::vector<RunForm>{a, b}));
  EXPECT_EQ(form_words(b), "top k 3 · the “king” · steps 0,last");
  const TempFolder folder;
  const auto file = folder.path() / "runs.json";
  EXPECT_TRUE(read_recent_runs(file).empty());
  write_recent_runs(file, forms);
  EXPECT_EQ(read_recent_runs(file), forms);
  for (int i = 0; i < 40; ++i) remember_run(forms, {.analysis = "a" + std::to_string(i)});
  EXPECT_EQ(forms.size(), most_recent_runs);
}

TEST(RecentRuns, ADamagedFileIsNamed) {
  const TempFolder folder;
  const auto file = folder.path() / "runs.json";
  std::ofstream(file) << "[{\"analysis\": 3}]";
  expect_error([&] { read_recent_runs(file); }, {"runs.json", "Remove the file"});
}

TEST(RecentSeries, PinnedOnesStayFirstAndOldOnesLeave) {
  std::vector<RecentSeries> recent;
  for (int i = 0; i < 15; ++i)
    remember_opened(
        recent, {.path = "/s" + std::to_string(i), .name = "s", .opened = i + 1, .core = {}, .caution = ""});
  EXPECT_EQ(recent.size(), 12U);
  EXPECT_EQ(recent.front().path, "/s14");
  set_pinned(recent, "/s5", true);
  EXPECT_EQ(recent.front().path, "/s5");
  remember_opened(recent,
                  {.path = "/s9", .name = "s", .opened = 100, .results = 4, .core = {}, .caution = ""});
  EXPECT_EQ(recent[1].path, "/s9");
  remember_opened(recent, {.path = "/s9", .name = "s", .opened = 101, .core = {}, .caution = ""});
  EXPECT_EQ(recent[1].results, 4) << "what is not known anew is kept";
}

TEST(RecentSeries, TheFileKeepsEverythingShown) {
  const TempFolder folder;
  const auto file = folder.path() / "series.json";
  RecentSeries one{.path = "/data/run.varve",
                   .name = "run",
                   .pinned = true,
                   .opened = 1'700'000'000,
                   .layers = 12,
                   .experts = 16,
                   .results = 6,
                   .core = {},
                   .caution = "step 5 is a copy of step 4"};
  one.core.push_back({.branch = "main", .steps = {0, 1, 2}, .change = {-1, 0.5, 0.25}, .bad = {2}});
  write_recent_series(file, {one});
  const RecentSeries read = read_recent_series(file).at(0);
  EXPECT_EQ(read.core[0].steps, one.core[0].steps);
  EXPECT_EQ(read.core[0].change, one.core[0].change);
  EXPECT_EQ(read.core[0].bad, one.core[0].bad);
  EXPECT_EQ(read.caution, one.caution);
  EXPECT_TRUE(read.pinned);
  EXPECT_EQ(shape_words(read), "3 steps · 16 experts");
  std::ofstream(file) << "{";
  expect_error([&] { read_recent_series(file); }, {"series.json"});
}

TEST(RecentSeries, ADayIsSaidAsPeopleSayIt) {
  constexpr int64_t now = 1'764'000'000;
  EXPECT_EQ(opened_words(now, now).rfind("today ", 0), 0U);
  EXPECT_EQ(opened_words(now - 24 * 3600, now), "yesterday");
  EXPECT_EQ(opened_words(0, now), "");
}

}  // namespace
}  // namespace varve
