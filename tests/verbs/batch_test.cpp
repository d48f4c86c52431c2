// varve batch: does what the single commands do, in order, again or in shares.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/program.h"
#include "tests/support/safetensors_writer.h"

namespace varve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

// A folder with a recipe in it.
class BatchVerb : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  std::string recipe(const std::string& text) const {
    write_text(path("night.toml"), text);
    return path("night.toml");
  }
  Ended batch(const std::string& text, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"batch", recipe(text)};
    words.insert(words.end(), more.begin(), more.end());
    return varve_run(words);
  }
  nlohmann::json done(const std::string& text, std::vector<std::string> more = {}) const {
    more.push_back("--json");
    const Ended ended = batch(text, more);
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return nlohmann::json::parse(ended.out);
  }
  std::string importing(const std::string& steps) const {
    return "store = \"tiny.varve\"\nprobes = \"repeat-random:prompts=2,period=6\"\n[[import]]\nsource = \"" +
           series_folder() + "\"\nsteps = \"" + steps + "\"\n";
  }
  TempFolder folder_;
};

const std::string two_runs =
    "[[run]]\nanalysis = \"logit-lens\"\nset = { top_k = 3 }\noutput = \"lens.h5\"\n"
    "[[run]]\nanalysis = \"head-detectors\"\nsteps = \"first,last\"\noutput = \"heads.h5\"\n";

TEST_F(BatchVerb, ImportsAndRunsAsTheSingleCommandsDo) {
  const auto json = done(importing("0,1,16") + two_runs);
  EXPECT_EQ(json["imports"][0]["added"], 3);
  ASSERT_EQ(json["runs"].size(), 2U);
  EXPECT_EQ(json["runs"][0]["computed"], 3);
  EXPECT_EQ(json["runs"][1]["computed"], 2);
  EXPECT_EQ(json["runs"][1]["finished"], true);
  ASSERT_EQ(varve_run({"import", series_folder(), "-o", path("own.varve"), "--steps", "0,1,16"}).exit_code,
            0);
  const std::vector<std::string> prompts = {"--probes", "repeat-random:prompts=2,period=6"};
  ASSERT_EQ(varve_run({"run", "logit-lens", path("own.varve"), "--set", "top_k=3", prompts[0], prompts[1],
                       "-o", path("own-lens.h5")})
                .exit_code,
            0);
  ASSERT_EQ(varve_run({"run", "head-detectors", path("own.varve"), "--steps", "0,16", prompts[0], prompts[1],
                       "-o", path("own-heads.h5")})
                .exit_code,
            0);
  EXPECT_TRUE(read_text(path("lens.h5")) == read_text(path("own-lens.h5")));
  EXPECT_TRUE(read_text(path("heads.h5")) == read_text(path("own-heads.h5")));
}

TEST_F(BatchVerb, ASecondTimeNothingIsImportedOrComputed) {
  done(importing("0,1") + two_runs);
  const auto again = done(importing("0,1") + two_runs);
  EXPECT_EQ(again["imports"][0]["added"], 0);
  for (const auto& run : again["runs"]) {
    EXPECT_EQ(run["computed"], 0);
    EXPECT_EQ(run["cached"], 2);
  }
  EXPECT_EQ(done(importing("0,1,16") + two_runs)["runs"][0]["computed"], 1);
}

TEST_F(BatchVerb, ResumeLeavesOutputsThatHoldTheirResult) {
  done(importing("0,1") + two_runs);
  const auto long_ago = fs::file_time_type::clock::now() - std::chrono::hours(48);
  fs::last_write_time(path("lens.h5"), long_ago);
  write_text(path("heads.h5"), "cut short");
  const auto json = done(importing("0,1") + two_runs, {"--resume"});
  EXPECT_EQ(json["runs"][0]["output_kept"], true);
  EXPECT_EQ(json["runs"][1]["output_kept"], false);
  EXPECT_EQ(fs::last_write_time(path("lens.h5")), long_ago);
  EXPECT_GT(fs::file_size(path("heads.h5")), 1000U);
  done(importing("0,1") + two_runs);
  EXPECT_GT(fs::last_write_time(path("lens.h5")), long_ago);
}

TEST_F(BatchVerb, SharesAreDisjointAndTogetherEverything) {
  const std::string text = importing("0,1,16,64,256") + two_runs;
  std::multiset<std::string> planned;
  for (const std::string shard : {"1/3", "2/3", "3/3"}) {
    const auto runs = done(text, {"--dry-run", "--shard", shard})["runs"];
    for (const auto& run : runs)
      for (const auto& step : run["steps"]) planned.insert(run["analysis"].get<std::string>() + step.dump());
  }
  EXPECT_EQ(planned.size(), 7U);
  EXPECT_EQ(std::set<std::string>(planned.begin(), planned.end()).size(), 7U);

  const auto first = done(text, {"--shard", "1/3"}), second = done(text, {"--shard", "2/3"});
  EXPECT_EQ(second["runs"][0]["finished"], false);
  EXPECT_GT(second["runs"][0]["waiting"], 0);
  EXPECT_FALSE(fs::exists(path("lens.h5")));
  const auto third = done(text, {"--shard", "0/3"});  // the same share as 3/3
  int64_t computed = 0;
  for (const auto& share : {first, second, third})
    for (const auto& run : share["runs"]) {
      computed += run["computed"].get<int64_t>();
      EXPECT_EQ(run["cached"], 0);
    }
  EXPECT_EQ(computed, 7);
  for (const auto& run : third["runs"]) EXPECT_EQ(run["finished"], true);
  const std::string shared = read_text(path("heads.h5"));
  fs::remove_all(path("tiny.varve"));
  done(text);
  EXPECT_TRUE(shared == read_text(path("heads.h5")));
}

TEST_F(BatchVerb, ADryRunBeforeTheImportCountsItAndWritesNothing) {
  const auto json = done(importing("0,1") + two_runs, {"--dry-run"});
  EXPECT_FALSE(fs::exists(path("tiny.varve")));
  EXPECT_FALSE(fs::exists(path("lens.h5")));
  EXPECT_EQ(json["imports"][0]["checkpoints"], 2);
  EXPECT_GT(json["imports"][0]["bytes_to_read"], 2 * 265'088);
  EXPECT_EQ(json["runs"][0]["cells_to_compute"], 2);
  const auto& total = json["total"];
  EXPECT_EQ(total["cells_to_compute"], 4);
  for (const std::string count : {"bytes_to_read", "flops", "peak_bytes", "seconds"})
    EXPECT_GT(total[count].get<double>(), 0) << count;
  // What it said is what a dry run says once the checkpoints are there.
  done(importing("0,1"));
  const auto after = done(importing("0,1") + two_runs, {"--dry-run"});
  EXPECT_EQ(after["imports"][0]["checkpoints"], 0);
  for (const std::string count : {"bytes_to_read", "flops", "cells_to_compute"})
    EXPECT_EQ(after["runs"][1][count], json["runs"][1][count]) << count;
}

TEST_F(BatchVerb, OverBudgetIsRefusedWithCodeFour) {
  for (const std::string mode : {"--dry-run", "--resume"}) {
    const Ended ended = batch(importing("0") + two_runs, {mode, "--max-memory", "1M"});
    EXPECT_EQ(ended.exit_code, 4) << mode;
    EXPECT_THAT(ended.err, AllOf(HasSubstr("run 1 (logit-lens)"), HasSubstr("--max-memory")));
  }
  EXPECT_FALSE(fs::exists(path("lens.h5")));
}

TEST_F(BatchVerb, ARunReadsTheOutputOfOneBeforeIt) {
  write_text(path("scores.csv"), "step,score\n0,1\n1,2\n16,4\n64,3\n256,7\n512,8\n");
  const std::string text = importing("0,1,16,64,256,512") +
                           "[[run]]\nanalysis = \"head-detectors\"\noutput = \"heads.h5\"\n"
                           "[[run]]\nanalysis = \"metric-correlation\"\noutput = \"together.h5\"\n"
                           "with = { metric = \"heads.h5:induction\", scores = \"scores.csv\" }\n";
  // A share that lacks cells of the first run leaves the second to the one that ends last.
  const auto half = done(text, {"--shard", "1/2"});
  EXPECT_EQ(half["runs"][1]["finished"], false);
  EXPECT_FALSE(fs::exists(path("together.h5")));
  done(text, {"--shard", "2/2"});
  ASSERT_TRUE(fs::exists(path("together.h5")));
}

// What a recipe says wrong is told before anything is imported.
TEST_F(BatchVerb, MistakesAreNamedBeforeAnyWork) {
  const auto refused = [&](const std::string& runs, int code, const std::string& says) {
    const Ended ended = batch(importing("0") + runs);
    EXPECT_EQ(ended.exit_code, code) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(says));
    EXPECT_FALSE(fs::exists(path("tiny.varve"))) << runs;
  };
  refused("[[run]]\nanalysis = \"logit-lense\"\n", 2, "did you mean 'logit-lens'");
  refused("[[run]]\nanalysis = \"logit-lens\"\noutputs = \"a.h5\"\n", 3, "did you mean 'output'");
  refused("[[runs]]\nanalysis = \"logit-lens\"\n", 3, "did you mean 'run'");
  refused("[[run]]\nanalysis = \"logit-lens\"\nset = { topk = 3 }\n", 2, "top_k");
  refused("[[run]]\nanalysis = \"logit-lens\"\nset = { top_k = [3] }\n", 3, "set.top_k");
  refused("[[run]]\nanalysis = \"logit-lens\"\nwith = { groups = \"a.csv\" }\n", 2, "groups");
  refused("[[run]]\nanalysis = \"logit-lens\"\ntext = \"a\"\nprobes = \"repeat-random\"\n", 3, "one of them");
  refused("[[run]]\nanalysis = \"logit-lens\"\ncompute = \"f16\"\n", 2, "f16");
  refused("[[run]]\nstore = \"tiny.varve\"\n", 3, "'analysis' is missing");
  refused("[[run]]\nanalysis = \"logit-lens\"\nsteps = 3\n", 3, "'steps' must be text");
  refused("[[run]]\nanalysis = \"logit-lens\n", 3, "line 7");
  refused(two_runs + "[[run]]\nanalysis = \"logit-lens\"\noutput = \"lens.h5\"\n", 3, "would both write");
  EXPECT_THAT(batch("steps = \"0\"\n").err, HasSubstr("asks for nothing"));
  EXPECT_EQ(batch("[[run]]\nanalysis = \"logit-lens\"\n").exit_code, 3);
  EXPECT_EQ(varve_run({"batch", path("absent.toml")}).exit_code, 3);
}

TEST_F(BatchVerb, SharesAreWrittenAsIOfN) {
  for (const std::string shard : {"4/3", "1/0", "-1/3", "1", "1/3x", "/3", "a/b"}) {
    const Ended ended = batch(importing("0") + two_runs, {"--shard=" + shard});
    EXPECT_EQ(ended.exit_code, 2) << shard;
    EXPECT_THAT(ended.err, HasSubstr("I/N")) << shard;
  }
}

}  // namespace
}  // namespace varve
