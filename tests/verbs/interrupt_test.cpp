// Ctrl-C, kills and crowds: a store stays whole whatever ends the programs that write it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/support/program.h"

namespace varve {
namespace {

using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

int kill_count() { return std::getenv("VARVE_NIGHTLY") ? 100 : 20; }

int64_t temporaries_in(const std::filesystem::path& folder) {
  int64_t count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().filename().string().rfind(".tmp-", 0) == 0) ++count;
  return count;
}

// A pack long enough that a run is still computing when the signal arrives.
std::vector<std::string> long_run(const TinyStore& store) {
  return {"run", "logit-lens", store.path(), "--probes", "repeat-random:prompts=16,period=60,seed=1"};
}

TEST(Interrupt, StopsWith130AndKeepsFinishedCells) {
  const TinyStore store("0,1,16,64");
  ASSERT_EQ(store.imported.exit_code, 0) << store.imported.err;
  const std::filesystem::path results = std::filesystem::path(store.path()) / "results" / "logit-lens";
  Subprocess program(varve_words(long_run(store)));
  // The first cell on disk is the signal that the run is under way.
  while (program.running() && !std::filesystem::exists(results)) usleep(1000);
  program.send(SIGINT);
  const Ended ended = program.wait();
  ASSERT_EQ(ended.exit_code, 130) << ended.out << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("cells are kept"));
  EXPECT_EQ(varve_run({"verify", store.path()}).exit_code, 0);
  auto words = long_run(store);
  words.push_back("--json");
  const auto again = nlohmann::json::parse(varve_run(words).out);
  EXPECT_EQ(again["computed"].get<int>() + again["cached"].get<int>(), 4);
  EXPECT_LT(again["computed"], 4);
}

TEST(Interrupt, TerminateStopsAnImportWith130) {
  const TempFolder folder;
  const std::string path = (folder.path() / "a.varve").string();
  Subprocess program(varve_words({"import", series_folder(), "-o", path}));
  while (program.running() && !std::filesystem::exists(path)) usleep(200);
  program.send(SIGTERM);
  const Ended ended = program.wait();
  ASSERT_THAT(ended.exit_code, testing::AnyOf(130, 0)) << ended.err;
  if (ended.exit_code == 0) GTEST_SKIP() << "the import was done before the signal came";
  EXPECT_THAT(ended.err, HasSubstr("interrupted"));
  EXPECT_EQ(varve_run({"import", series_folder(), "-o", path}).exit_code, 0);
  EXPECT_EQ(varve_run({"verify", path}).exit_code, 0);
}

// How long a command takes when nothing ends it, so that kills fall all over its length.
int64_t micros_of(const std::vector<std::string>& words) {
  const Clock::time_point began = Clock::now();
  EXPECT_EQ(varve_run(words).exit_code, 0);
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began).count();
}

void kill_after(const std::vector<std::string>& words, int64_t micros) {
  Subprocess program(varve_words(words));
  usleep(static_cast<useconds_t>(micros));
  program.send(SIGKILL);
  program.wait();
}

TEST(Kill, AnImportKilledAtAnyInstantLeavesAWholeStoreThatCanGoOn) {
  const TempFolder folder;
  const auto words = [&folder](const std::string& name) {
    return std::vector<std::string>{"import",  series_folder(), "-o", (folder.path() / name).string(),
                                    "--steps", "0,1,16,64"};
  };
  const int64_t whole = micros_of(words("first.varve"));
  std::mt19937_64 random(1);
  std::uniform_int_distribution<int64_t> instant(0, whole);
  std::string name = "a0.varve";
  for (int i = 0; i < kill_count(); ++i) {
    // A new store now and then, so that its first moments are killed too.
    if (i % 4 == 0) name = "a" + std::to_string(i) + ".varve";
    kill_after(words(name), instant(random));
    const std::filesystem::path path = folder.path() / name;
    if (std::filesystem::exists(path / "series.h5")) {
      const Ended verified = varve_run({"verify", path.string()});
      ASSERT_EQ(verified.exit_code, 0) << verified.out << verified.err;
    }
    if (i % 4 != 3) continue;
    const Ended again = varve_run(words(name));
    ASSERT_EQ(again.exit_code, 0) << again.err;
    ASSERT_EQ(varve_run({"verify", path.string()}).exit_code, 0);
    EXPECT_EQ(temporaries_in(path), 0);
  }
}

TEST(Kill, ARunKilledAtAnyInstantLeavesAWholeStoreThatCanGoOn) {
  const TinyStore store("0,1,16,64");
  const auto words = [&store](int round) {
    return std::vector<std::string>{"run", "logit-lens", store.path(), "--probes",
                                    "repeat-random:prompts=2,period=8,seed=" + std::to_string(round)};
  };
  const int64_t whole = micros_of(words(1000));
  std::mt19937_64 random(2);
  std::uniform_int_distribution<int64_t> instant(0, whole);
  for (int i = 0; i < kill_count(); ++i) {
    kill_after(words(i / 2), instant(random));
    const Ended verified = varve_run({"verify", store.path()});
    ASSERT_EQ(verified.exit_code, 0) << verified.out << verified.err;
    if (i % 2 == 1) {
      ASSERT_EQ(varve_run(words(i / 2)).exit_code, 0);
    }
  }
}

TEST(Crowd, EightProgramsRunDifferentStepsOfOneStore) {
  const std::vector<std::string> steps = {"0", "1", "16", "64", "256", "512", "1000", "2000"};
  const TinyStore store("0,1,16,64,256,512,1000,2000");
  std::vector<std::unique_ptr<Subprocess>> programs;
  for (const std::string& step : steps) {
    auto words = store.lens_words();
    words.insert(words.end(), {"--steps", step, "--threads", "1"});
    programs.push_back(std::make_unique<Subprocess>(varve_words(words)));
  }
  for (const auto& program : programs) {
    const Ended ended = program->wait();
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
  }
  auto words = store.lens_words();
  words.push_back("--json");
  EXPECT_EQ(nlohmann::json::parse(varve_run(words).out)["computed"], 0);
  EXPECT_EQ(varve_run({"verify", store.path()}).exit_code, 0);
}

}  // namespace
}  // namespace varve
