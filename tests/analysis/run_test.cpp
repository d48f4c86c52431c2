// The runner: what the store holds is never computed again, and what it computes is published.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "analysis/run.h"
#include "loaders/import.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class Runner : public testing::Test {
 protected:
  void import_steps(const std::string& steps) {
    import_series({.source = std::filesystem::path(VARVE_SOURCE) / "datasets/tiny-neox",
                   .store = temp_.path() / "s.varve",
                   .steps = steps},
                  task_);
  }
  RunReport run(const RunRequest& request) {
    store_ = RunStore::open(temp_.path() / "s.varve");
    return run_analysis(store_, request, task_);
  }
  static RunRequest lens() {
    RunRequest request;
    request.analysis = "logit-lens";
    request.probes = Probes{{{0, 17, 99, 17, 99}}, "test"};
    return request;
  }
  TempFolder temp_;
  Task task_;
  std::shared_ptr<RunStore> store_;
};

TEST_F(Runner, ASecondRunComputesNothing) {
  import_steps("0,1,16");
  EXPECT_EQ(run(lens()).computed, 3);
  const RunReport again = run(lens());
  EXPECT_EQ(again.computed, 0);
  EXPECT_EQ(again.cached, 3);
  EXPECT_TRUE(again.reduce_cached);
}

TEST_F(Runner, TwoMoreCheckpointsCostTwoCells) {
  import_steps("0,1,16");
  run(lens());
  import_steps("0,1,16,64,256");
  const RunReport more = run(lens());
  EXPECT_EQ(more.computed, 2);
  EXPECT_EQ(more.cached, 3);
}

TEST_F(Runner, ASettingThatChangesTheResultChangesTheKey) {
  import_steps("7000");
  const std::string key = run(lens()).cell_keys.at(0);
  RunRequest other = lens();
  other.settings["top_k"] = "7";
  EXPECT_NE(run(other).cell_keys.at(0), key);
  other.settings["top_k"] = "5";  // the default, written out
  EXPECT_EQ(run(other).cell_keys.at(0), key);
  other.compute = Compute::f64;
  EXPECT_NE(run(other).cell_keys.at(0), key);
}

TEST_F(Runner, EveryResultStoresItsTokensAndWhereItCameFrom) {
  import_steps("7000");
  const RunReport report = run(lens());
  const Dataset cell = store_->result("logit-lens", report.cell_keys.at(0)).value();
  EXPECT_EQ(cell["tokens"].number(2), 99);
  EXPECT_EQ(cell["lengths"].number(0), 5);
  EXPECT_EQ(cell.provenance.at("key"), report.cell_keys.at(0));
  EXPECT_EQ(cell.provenance.at("compute"), "f32");
  EXPECT_FALSE(cell.provenance.at("key_parts").empty());
}

TEST_F(Runner, UnknownNamesAreRefusedWithTheNearest) {
  import_steps("7000");
  RunRequest wrong = lens();
  wrong.analysis = "logit-lense";
  try {
    run(wrong);
    FAIL() << "an unknown analysis ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::usage);
    EXPECT_NE(std::string(error.what()).find("logit-lens"), std::string::npos);
  }
  wrong = lens();
  wrong.settings["topk"] = "3";
  try {
    run(wrong);
    FAIL() << "an unknown setting was taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("top_k"), std::string::npos);
  }
}

TEST_F(Runner, TokensOutsideTheVocabularyAreNamed) {
  import_steps("7000");
  RunRequest wrong = lens();
  wrong.probes.prompts[0][3] = 1024;
  try {
    run(wrong);
    FAIL() << "an id outside the vocabulary ran";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::input);
    EXPECT_NE(std::string(error.what()).find("1024"), std::string::npos);
  }
}

TEST_F(Runner, StopKeepsFinishedCells) {
  import_steps("0,1,16");
  store_ = RunStore::open(temp_.path() / "s.varve");
  const auto progress = std::make_shared<Progress>();
  Task task(progress);
  EXPECT_THROW(
      run_analysis(store_, lens(), task, [&](int64_t, const std::string&) { progress->request_stop(); }),
      Stopped);
  EXPECT_EQ(store_->results().size(), 1U);
  const RunReport rest = run(lens());
  EXPECT_EQ(rest.cached, 1);
  EXPECT_EQ(rest.computed, 2);
}

TEST_F(Runner, AResultReplacedByGarbageIsAnErrorThatNamesTheFile) {
  import_steps("7000");
  const RunReport report = run(lens());
  const std::filesystem::path file = store_->result_path("logit-lens", report.cell_keys.at(0));
  std::filesystem::permissions(file, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << "garbage";
  const auto fresh = RunStore::open(temp_.path() / "s.varve");
  try {
    (void)fresh->result("logit-lens", report.cell_keys.at(0));
    FAIL() << "garbage was read as a result";
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::input);
    EXPECT_NE(std::string(error.what()).find(file.filename().string()), std::string::npos);
  }
}

}  // namespace
}  // namespace varve
