// What edge attribution and circuits hold at once, measured by the system, beside what they said and were
// given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/random_model.h"
#include "tests/support/safetensors_writer.h"

namespace varve {
namespace {

using testing::HasSubstr;

// What the promise allows beyond its number.
constexpr double slack = 1.1;

struct Held {
  double share;  // of what it takes when it may, that is enough for it
  std::vector<std::string> words;
  const char* task = "induction:pairs=24,period=15";
};

class CircuitMemory : public testing::TestWithParam<Held> {
 protected:
  static void SetUpTestSuite() {
    folder = new TempFolder();
    write_random_model(folder->path() / "model", {6, 384, 12, 1536, 6000, 1});
    ASSERT_EQ(varve_run({"import", path("model"), "-o", path("s.varve"), "--link"}).exit_code, 0);
  }
  static void TearDownTestSuite() { delete folder; }
  void SetUp() override {
    if (!memory_is_its_own) GTEST_SKIP() << "under a sanitizer most memory is its own";
  }
  static std::string path(const std::string& name) { return (folder->path() / name).string(); }
  static Ended run(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"run"};
    words.push_back(GetParam().words[0]);
    const std::vector<std::string> rest = {path("s.varve"), "--task",    GetParam().task,
                                           "--json",        "--threads", "1"};
    words.insert(words.end(), rest.begin(), rest.end());
    words.insert(words.end(), GetParam().words.begin() + 1, GetParam().words.end());
    words.insert(words.end(), more.begin(), more.end());
    return varve_run(words);
  }
  static double said_peak(const Ended& dry) {
    return nlohmann::json::parse(dry.out)["peak_bytes"].get<double>();
  }
  static std::string cell_of(const Ended& ended) {
    return read_text(nlohmann::json::parse(ended.out)["cells"][0]["path"].get<std::string>());
  }
  inline static TempFolder* folder = nullptr;
};

TEST_P(CircuitMemory, IsWhatADryRunSaysAndWhatABudgetAllowsWithTheSameBits) {
  const Ended dry = run({"--dry-run"});
  ASSERT_EQ(dry.exit_code, 0) << dry.err;
  const Ended free = run({});
  ASSERT_EQ(free.exit_code, 0) << free.err;
  EXPECT_LE(static_cast<double>(free.peak_bytes), slack * said_peak(dry));
  EXPECT_GE(static_cast<double>(free.peak_bytes), 0.4 * said_peak(dry)) << "far above the truth is no use";
  const std::string whole = cell_of(free);
  std::filesystem::remove_all(path("s.varve") + "/results");
  // Well below what it takes when it may: pairs go one by one.
  const auto budget = static_cast<int64_t>(GetParam().share * said_peak(dry));
  const Ended tight = run({"--max-memory", std::to_string(budget)});
  ASSERT_EQ(tight.exit_code, 0) << tight.err;
  EXPECT_LE(static_cast<double>(tight.peak_bytes), slack * static_cast<double>(budget));
  EXPECT_TRUE(cell_of(tight) == whole) << "a budget changed the result";
  std::filesystem::remove_all(path("s.varve") + "/results");
}

TEST_P(CircuitMemory, IsRefusedBeforeTheWorkWhereOnePairIsTooMuch) {
  const Ended refused = run({"--max-memory", "24M"});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("--max-memory"));
  const std::string results = path("s.varve") + "/results";
  EXPECT_TRUE(!std::filesystem::exists(results) || std::filesystem::is_empty(results));
}

INSTANTIATE_TEST_SUITE_P(
    Analyses, CircuitMemory,
    testing::Values(
        Held{0.6, {"edge-attribution", "--set", "steps=2"}},
        Held{0.6, {"circuit", "--set", "steps=2", "--set", "curve=no"}},
        Held{0.9, {"head-detectors", "--set", "weights=all"}}, Held{0.7, {"direct-logit-attribution"}},
        Held{0.7, {"head-ablation", "--set", "heads=L1H2", "--set", "ways=zero"}},
        Held{0.7, {"activation-patching", "--set", "what=attn_out"}, "induction:pairs=16,period=5"}),
    [](const auto& one) {
      std::string name = one.param.words[0];
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

}  // namespace
}  // namespace varve
