// What edge attribution and circuits hold at once, measured by the system, beside what they said and were
// given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/random_model.h"
#include "tests/support/safetensors_writer.h"

namespace varve {
namespace {

using testing::HasSubstr;

// What the promise allows beyond its number.
constexpr double slack = 1.1;

class CircuitMemory : public testing::TestWithParam<std::vector<std::string>> {
 protected:
  static void SetUpTestSuite() {
    folder = new TempFolder();
    write_random_model(folder->path() / "model", {6, 384, 12, 1536, 6000, 1});
    ASSERT_EQ(varve_run({"import", path("model"), "-o", path("s.varve"), "--link"}).exit_code, 0);
  }
  static void TearDownTestSuite() { delete folder; }
  static std::string path(const std::string& name) { return (folder->path() / name).string(); }
  static Ended run(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"run"};
    words.push_back(GetParam()[0]);
    const std::vector<std::string> rest = {path("s.varve"), "--task",    "induction:pairs=24,period=15",
                                           "--json",        "--threads", "1"};
    words.insert(words.end(), rest.begin(), rest.end());
    words.insert(words.end(), GetParam().begin() + 1, GetParam().end());
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
  const auto budget = static_cast<int64_t>(0.6 * said_peak(dry));
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

INSTANTIATE_TEST_SUITE_P(Analyses, CircuitMemory,
                         testing::Values(std::vector<std::string>{"edge-attribution", "--set", "steps=2"},
                                         std::vector<std::string>{"circuit", "--set", "steps=2", "--set",
                                                                  "curve=no"}),
                         [](const auto& one) { return one.param[0] == "circuit" ? "circuit" : "edges"; });

}  // namespace
}  // namespace varve
