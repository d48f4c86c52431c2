// What the results browser says of a store, on the committed demo series.
#include "app/session/results.h"

#include <gtest/gtest.h>

#include "analysis/run.h"
#include "app/session/opened.h"
#include "app/session/prompt.h"
#include "app/session/recent_series.h"
#include "app/session/run_form.h"
#include "app/session/why.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class OnAStore : public testing::Test {
 protected:
  void SetUp() override {
    const std::filesystem::path demo = std::filesystem::path(VARVE_SOURCE) / "datasets" / "tiny-neox";
    if (!std::filesystem::exists(demo)) GTEST_SKIP() << demo << " is not here";
    Task task;
    opened_ = open_series(demo, folder_.path(), task);
  }
  RunReport run(const std::string& text, const std::vector<int64_t>& steps,
                const SettingValues& settings = {}) {
    RunRequest request;
    request.analysis = "logit-lens";
    request.settings = settings;
    request.steps = steps;
    request.probes = read_prompt(text, *opened_).probes;
    Task task;
    return run_analysis(opened_->store, request, task);
  }
  std::vector<StoredRun> look() {
    Task task;
    return shelf_.look(*opened_->store, opened_->tokenizer.get(), task);
  }
  RunPlace place() const {
    RunPlace place{
        .opened = opened_, .branch = opened_->branch, .steps = {}, .now = 7000, .pin = std::nullopt};
    for (const Stop& stop : opened_->stops) place.steps.push_back(stop.step);
    return place;
  }
  TempFolder folder_;
  std::shared_ptr<const Opened> opened_;
  ResultShelf shelf_;
};

TEST_F(OnAStore, WhatHasNoCellsOfItsOwnIsListedByWhatWasReduced) {
  Task task;
  RunRequest measured;
  measured.analysis = "massive-activations";
  measured.settings = {{"attention", "false"}};
  measured.steps = {0, 7000};
  measured.probes = read_prompt("the king said to the queen", *opened_).probes;
  const RunReport own = run_analysis(opened_->store, measured, task);
  RunRequest fitted = measured;
  fitted.analysis = "massive-activation-fit";
  const RunReport fit = run_analysis(opened_->store, fitted, task);
  fitted.steps = {7000};
  run_analysis(opened_->store, fitted, task);  // of fewer steps: the same run, and not the one it shows
  RunRequest toy;
  toy.analysis = "effective-dimension";
  toy.settings = {{"samples", "16"}, {"routers", "4"}, {"bootstrap", "100"}};
  const RunReport made = run_analysis(opened_->store, toy, task);
  const std::vector<StoredRun> runs = look();
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].analysis, "effective-dimension");
  EXPECT_TRUE(runs[0].cells.empty());
  EXPECT_EQ(runs[0].series_key, made.reduce_key);
  EXPECT_EQ(runs[1].analysis, "massive-activation-fit") << "it reads the cells of another";
  EXPECT_TRUE(runs[1].cells.empty());
  EXPECT_EQ(runs[1].series_key, fit.reduce_key);
  EXPECT_EQ(runs[1].all_series.size(), 2U);
  EXPECT_EQ(prompts_words(runs[1]), "the king said to the queen") << "those of the cells it is made of";
  EXPECT_EQ(runs[2].analysis, "massive-activations");
  EXPECT_EQ(runs[2].cells.size(), 2U);
  EXPECT_EQ(runs[2].series_key, own.reduce_key) << "not that of the fit, which lies elsewhere";
  Removal removal(*opened_->store, runs[1]);
  EXPECT_EQ(removal.words(), "massive-activation-fit over the series");
  EXPECT_EQ(look().size(), 2U);
  removal.undo();
  EXPECT_EQ(look().size(), 3U);
}

TEST_F(OnAStore, CellsThatShareSettingsAndPromptsAreOneRun) {
  EXPECT_TRUE(look().empty());
  const RunReport report = run("the king said", {0, 7000});
  run("the king said", {5000});
  run("the king said", {0}, {{"top_k", "3"}});
  run("ids: 1 2 3", {0});
  const std::vector<StoredRun> runs = look();
  ASSERT_EQ(runs.size(), 3U);
  const auto of = [&](const std::string& text, const std::string& settings) -> const StoredRun* {
    for (const StoredRun& one : runs)
      if (one.text == text && settings_words(one) == settings) return &one;
    return nullptr;
  };
  const StoredRun* first = of("the king said", "");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->cells.size(), 3U);
  EXPECT_EQ(first->cells.at(7000), report.cell_keys[1]);
  EXPECT_EQ(first->series_key, report.reduce_key) << "the one over most steps";
  EXPECT_EQ(first->all_series.size(), 2U);
  EXPECT_EQ(first->prompts, 1);
  EXPECT_EQ(first->tokens, static_cast<int64_t>(read_prompt("the king said", *opened_).ids.size()));
  EXPECT_GT(first->bytes, 0);
  EXPECT_GT(first->written, 1'600'000'000);
  EXPECT_EQ(first->verdict.broken, "");
  EXPECT_GT(first->verdict.checks, 0);
  EXPECT_NE(badge_words(first->verdict).find("check"), std::string::npos);
  EXPECT_TRUE(first->is_current);
  EXPECT_TRUE(of("the king said", "top k 3"));
}

TEST(StoredRuns, AreToldApartByWhatDiffers) {
  StoredRun one;
  one.analysis = "circuit";
  one.settings = {{"folds", "4"}};
  one.prompts = 16;
  one.text = "as in:a.h5";
  one.probes = "task induction";
  StoredRun two = one;
  two.probes = "task ioi";
  EXPECT_EQ(told_apart(one, {one, two}), "task induction, 16 prompts · folds 4");
  EXPECT_EQ(told_apart(two, {one, two}), "task ioi, 16 prompts · folds 4");
  two.settings["folds"] = "5";
  one.branch = two.branch = "main";
  one.cells[7000] = "3f9a7700";
  two.all_series = {"77c1d0"};
  EXPECT_EQ(key_words("3f9a77", {one, two}), "circuit · folds 4 · task induction, 16 prompts · step 7k");
  EXPECT_EQ(key_words("77c1d0", {one, two}), "circuit · folds 5 · task ioi, 16 prompts · over the series");
  EXPECT_EQ(key_words("3f9b77", {one, two}), "");
  EXPECT_EQ(key_words("3f9", {one, two}), "") << "may be the name of an array";
  EXPECT_EQ(told_apart(one, {one, two}), "folds 4 · task induction, 16 prompts");
  one.settings.clear();
  EXPECT_EQ(told_apart(one, {one, two}), "task induction, 16 prompts");
  one.prompts = 0;
  EXPECT_EQ(told_apart(one, {one}), "");
}

TEST_F(OnAStore, ThePromptsOfAResultCanBeRunAgain) {
  run("pack: repeat-random:prompts=2,period=4", {0});
  const std::vector<StoredRun> runs = look();
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0].prompts, 2);
  const Prompt again = read_prompt(runs[0].text, *opened_);
  EXPECT_EQ(again.problem, "");
  EXPECT_EQ(again.probes.digest(), runs[0].probes_digest);
}

TEST_F(OnAStore, WhatIsRemovedComesBackOrIsForgotten) {
  run("the king said", {0, 7000});
  const StoredRun before = look().front();
  const Removal first(*opened_->store, before);
  EXPECT_EQ(first.words(), "2 cells of logit-lens");
  EXPECT_TRUE(look().empty());
  first.undo();
  ASSERT_EQ(look().size(), 1U);
  EXPECT_EQ(look().front().cells, before.cells);

  const Removal second(*opened_->store, before);
  second.forget();
  EXPECT_TRUE(look().empty());
  expect_error([&] { second.undo(); }, {"could not be moved"});
}

TEST_F(OnAStore, ARemovalThatCannotBeDoneLeavesEverything) {
  run("the king said", {0, 7000});
  StoredRun stored = look().front();
  stored.cells[9999] = "00000000000000000000000000000000";
  expect_error([&] { Removal(*opened_->store, stored); }, {"could not be moved"});
  EXPECT_EQ(look().front().cells.size(), 2U);
}

TEST_F(OnAStore, WhySaysInWhichPartsSiblingsDiffer) {
  const RunReport report = run("the king said", {0});
  run("the king said", {0}, {{"top_k", "3"}});
  for (const ResultInfo& info : opened_->store->results()) {
    if (info.key != report.cell_keys[0]) continue;
    const WhyReport why = why_of(*opened_->store, info);
    EXPECT_EQ(why.others, 1);
    EXPECT_EQ(why.differ_in, (std::vector<std::string>{"settings"}));
    EXPECT_EQ(siblings_sentence(why, "logit-lens"),
              "The 1 other results of logit-lens differ from this one or from each other in: settings.");
    return;
  }
  FAIL() << "the result is not in the store";
}

TEST_F(OnAStore, TheFormSaysWhatEachFieldNeeds) {
  RunForm form{.analysis = "logit-lens", .settings = {{"top_k", "0"}}, .text = ""};
  form.steps = RunForm::Steps::list;
  form.list = "17";
  form.memory = "much";
  const FormReading reading = read_form(form, place());
  std::map<std::string, std::string> needs;
  for (const FieldProblem& problem : reading.problems) needs[problem.field] = problem.words;
  EXPECT_EQ(needs.size(), 4U);
  EXPECT_EQ(needs["set top_k"].rfind("1 ", 0), 0U) << needs["set top_k"];
  EXPECT_EQ(needs["prompt"], "some text");
  EXPECT_NE(needs["steps"].find("17"), std::string::npos);
  EXPECT_EQ(needs["memory"], "a size, as in 2 GB; empty for no limit");
  EXPECT_EQ(reading.off().rfind("Run is off: “top k” needs 1 ", 0), 0U) << reading.off();
}

TEST_F(OnAStore, TheFormBecomesTheRequestItShows) {
  RunForm form{.analysis = "logit-lens", .settings = {{"top_k", "3"}}, .text = "the king"};
  form.steps = RunForm::Steps::pinned;
  form.memory = "2 GB";
  form.compute = "f64";
  EXPECT_EQ(read_form(form, place()).problems.at(0).field, "steps") << "nothing is pinned";
  RunPlace pinned = place();
  pinned.pin = 512;
  const FormReading reading = read_form(form, pinned);
  EXPECT_EQ(reading.off(), "");
  EXPECT_EQ(reading.request.steps, (std::vector<int64_t>{512, 7000}));
  EXPECT_EQ(reading.request.max_memory, 2'000'000'000);
  EXPECT_EQ(reading.request.compute, Compute::f64);
  EXPECT_EQ(reading.request.settings.at("top_k"), "3");
  EXPECT_EQ(reading.request.probes.prompts.size(), 1U);
}

TEST_F(OnAStore, TheCostCountsWhatTheStoreHolds) {
  RunForm form{.analysis = "logit-lens", .settings = {}, .text = "the king said"};
  const FormReading reading = read_form(form, place());
  ASSERT_EQ(reading.off(), "");
  run("the king said", {0, 512, 7000});
  const Estimate estimate = estimate_run(*opened_->store, reading.request);
  const std::vector<std::string> lines = cost_lines(estimate, reading.request);
  ASSERT_GE(lines.size(), 4U);
  EXPECT_EQ(lines[0], "3 of 16 cells are there");
  EXPECT_EQ(lines[1].rfind("13 steps, 1 prompt of ", 0), 0U) << lines[1];
  EXPECT_NE(lines[2].find(" to read"), std::string::npos);
  EXPECT_NE(lines[3].find("FLOP"), std::string::npos);
  EXPECT_NE(lines[3].find("peak "), std::string::npos);
  RunRequest there = reading.request;
  there.steps = {0, 512};
  EXPECT_EQ(cost_lines(estimate_run(*opened_->store, there), there).front(), "All 2 cells are there");
}

TEST_F(OnAStore, TheFaceOfASeriesIsItsCore) {
  const RecentSeries face = face_of(*opened_);
  EXPECT_EQ(face.steps(), 16);
  ASSERT_EQ(face.core.size(), 1U);
  EXPECT_EQ(face.core[0].steps.back(), 7000);
  EXPECT_EQ(face.core[0].change.size(), 16U);
  EXPECT_EQ(shape_words(face), "16 steps · " + std::to_string(opened_->spec.layers) + " layers");
}

}  // namespace
}  // namespace varve
