// Runs that read results and tables beside the checkpoints.
#include "app/session/run_inputs.h"

#include <fstream>

#include "app/session/command_line.h"
#include "app/session/recent_runs.h"
#include "tests/session/demo_session.h"
#include "tests/support/expect_error.h"

namespace varve {
namespace {

InputInfo input(const std::string& name, bool several) {
  InputInfo info;
  info.name = name;
  info.several = several;
  return info;
}

TEST(InputWords, OneInputIsOneWord) {
  EXPECT_EQ(words_of_input(input("metric", false), " a=b.varve:3f; "),
            (InputWords{{"metric", "a=b.varve:3f;"}}));
  EXPECT_TRUE(words_of_input(input("metric", false), "  ").empty());
}

TEST(InputWords, SeveralAreToldApartByTheirLabels) {
  EXPECT_EQ(words_of_input(input("fit", true), "70m=a.varve:3f; 160m = /b.varve:77 ;"),
            (InputWords{{"fit.70m", "a.varve:3f"}, {"fit.160m", "/b.varve:77"}}));
  EXPECT_EQ(words_of_input(input("fit", true), "/odd=name/a.varve:3f"),
            (InputWords{{"fit", "/odd=name/a.varve:3f"}}))
      << "an equals sign within a path is no label";
  EXPECT_EQ(words_of_input(input("fit", true), "a; b; c"),
            (InputWords{{"fit", "a"}, {"fit.2", "b"}, {"fit.3", "c"}}));
  expect_error([] { words_of_input(input("fit", true), "a=x; a=y"); }, {"fit.a", "twice"});
}

class RunInputs : public OnTheDemoSession {
 protected:
  // The lens of one prompt over the series, and losses by step as others would have measured them.
  void SetUp() override {
    OnTheDemoSession::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    start({.analysis = "sample-loss", .text = "pack: repeat-random:prompts=4,period=6"});
    ASSERT_TRUE(ended(newest()));
    const auto* run = session_->current_run();
    ASSERT_TRUE(run && !run->series_key.empty());
    metric_ = session_->opened()->store->folder().string() + ":" + run->series_key;
    scores_ = (folder_.path() / "scores.csv").string();
    std::ofstream file(scores_);
    file << "step,accuracy\n";
    for (size_t i = 0; i < session_->stops().size(); ++i)
      file << session_->stops()[i].step << "," << 0.1 * static_cast<double>(i % 7) << "\n";
  }
  RunForm correlation() const {
    return {.analysis = "metric-correlation", .inputs = {{"metric", metric_}, {"scores", scores_}}};
  }
  std::string metric_, scores_;
};

TEST_F(RunInputs, AResultAndATableAreCorrelatedFromTheForm) {
  start(correlation());
  ASSERT_TRUE(ended(newest()));
  ASSERT_EQ(newest().state(), Job::State::done) << newest().error();
  const auto* run = session_->current_run();
  ASSERT_TRUE(run->complete);
  EXPECT_FALSE(run->series_key.empty());
  EXPECT_EQ(run->inputs.at("scores"), scores_);
  EXPECT_NE(run->series->provenance.at("inputs").find("scores"), std::string::npos);
  EXPECT_EQ(command_of(correlation(), place()),
            "varve run metric-correlation " + session_->opened()->store->folder().string() +
                " --with metric=" + metric_ + " --with scores=" + scores_ + "\n");
}

TEST_F(RunInputs, WhatIsMissingOrNotThereIsSaidBesideItsField) {
  RunForm form = correlation();
  form.inputs.erase("metric");
  form.inputs["scores"] = "/nowhere/scores.csv";
  const FormReading reading = read_form(form, place());
  ASSERT_EQ(reading.problems.size(), 2U);
  EXPECT_EQ(reading.problems[0].field, "with metric");
  EXPECT_EQ(reading.problems[0].words, "a result with numbers along step");
  EXPECT_EQ(reading.problems[1].field, "with scores");
  EXPECT_EQ(reading.problems[1].words, "/nowhere/scores.csv: no such file or folder, and no STORE:KEY");
  EXPECT_EQ(command_of(form, place()), "");
}

TEST_F(RunInputs, AFileThatTurnsOutToBeNoTableEndsTheJobInWords) {
  std::ofstream(scores_) << "step,accuracy\n1,x,y,z\n";
  start(correlation());
  ASSERT_TRUE(ended(newest()));
  EXPECT_EQ(newest().state(), Job::State::failed);
  EXPECT_NE(newest().error().find("scores.csv"), std::string::npos) << newest().error();
}

TEST_F(RunInputs, WhatStandsInForTheCellsNeedsNoPrompt) {
  RunForm form{.analysis = "memorisation"};
  EXPECT_EQ(read_form(form, place()).problems.size(), 1U) << "a prompt";
  form.inputs["losses"] = scores_;
  EXPECT_TRUE(read_form(form, place()).problems.empty());
}

TEST_F(RunInputs, AFormWithoutALimitTakesTheOneOfAllRuns) {
  RunForm form{.analysis = "sample-loss", .text = "pack: repeat-random:prompts=4,period=6"};
  RunPlace here = place();
  here.max_memory = 500'000'000;
  EXPECT_EQ(read_form(form, here).request.max_memory, 500'000'000);
  EXPECT_NE(command_of(form, here).find("--max-memory 500000000"), std::string::npos);
  form.memory = "1 GB";
  EXPECT_EQ(read_form(form, here).request.max_memory, 1'000'000'000);
}

TEST_F(RunInputs, AreKeptAmongTheRecentRuns) {
  const std::vector<RunForm> forms = {correlation()};
  EXPECT_EQ(forms_from_json(forms_to_json(forms)), forms);
  EXPECT_EQ(form_words(correlation()).find("scores.csv") != std::string::npos, true);
}

}  // namespace
}  // namespace varve
