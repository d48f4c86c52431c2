// Tables of others: what their rows, steps and names become.
#include "loaders/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "loaders/npy.h"
#include "loaders/table_arrays.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class Table : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content) {
    write_text(temp_.path() / name, content);
    return (temp_.path() / name).string();
  }
  TempFolder temp_;
};

TEST_F(Table, ACsvWithStepsIsSortedByThem) {
  const Dataset data =
      read_table(file("s.csv", "step,acc,note\n1000,0.5,\"late, good\"\n10,0.25,early\n100,,\n"));
  ASSERT_NE(data.coord("step"), nullptr);
  EXPECT_EQ(data.coord("step")->number(0), 10);
  EXPECT_EQ(data.coord("step")->number(2), 1000);
  EXPECT_EQ(data["acc"].number(0), 0.25);
  EXPECT_TRUE(std::isnan(data["acc"].number(1)));
  EXPECT_EQ(data["note"].text(2), "late, good");
}

TEST_F(Table, ACsvWithoutStepsLiesAlongRowsAndKeepsTwoColumnsOfOneName) {
  const Dataset data = read_table(file("s.csv", "label,label,x\r\na,b,1\r\nc,d,2e-3\r\n"));
  EXPECT_EQ(data["label"].text(1), "c");
  EXPECT_EQ(data["label (2)"].text(1), "d");
  EXPECT_EQ(data["x"].number(1), 2e-3);
  EXPECT_TRUE(data.has_axis("row"));
}

TEST_F(Table, AColumnOrArrayIsChosenBehindAColon) {
  const std::string path = file("s.csv", "domain,x\nmath,1\ncode,2\n");
  const Dataset one = read_table(path + ":domain");
  EXPECT_EQ(one.arrays().size(), 1U);
  EXPECT_EQ(one["domain"].text(1), "code");
  expect_error([&] { read_table(path + ":domian"); }, {"domain"});
}

TEST_F(Table, BrokenCsvIsAnError) {
  expect_error([&] { read_table(file("a.csv", "x\n\"never ends\n")); }, {"quoted"});
  expect_error([&] { read_table(file("b.csv", "step,x\n1,2\n1,3\n")); }, {"same step"});
  expect_error([&] { read_table(file("c.csv", "x\n1,2\n")); }, {"fields"});
  expect_error([&] { read_table((temp_.path() / "absent.csv").string()); }, {"no such"});
}

TEST_F(Table, JsonOfSeveralShapesGivesTheSameScores) {
  const std::string list = file("list.json", R"([{"step": 2, "acc": 0.5}, {"step": 1, "acc": 0.25}])");
  const std::string keyed = file("keyed.json", R"({"1": {"acc": 0.25}, "2": {"acc": 0.5}})");
  const std::string lines =
      file("lines.jsonl", "{\"step\": 1, \"acc\": 0.25}\n{\"step\": 2, \"acc\": 0.5}\n");
  for (const std::string& path : {list, keyed, lines}) {
    const Dataset data = read_table(path);
    ASSERT_TRUE(data.has("acc")) << path;
    EXPECT_EQ(data["acc"].number(0), 0.25) << path;
    EXPECT_EQ(data["acc"].number(1), 0.5) << path;
    EXPECT_EQ(data.coord("step")->number(1), 2) << path;
  }
}

TEST_F(Table, AFolderOfEvaluationsTakesStepsFromNamesAndLeavesVersionsOut) {
  const std::string score =
      R"({"results": {"piqa": {"acc": ACC, "acc_stderr": 0.01}}, "versions": {"piqa": 0}})";
  const auto with = [&](const std::string& acc) {
    std::string text = score;
    return text.replace(text.find("ACC"), 3, acc);
  };
  file("e/m_step1000.json", with("0.6"));
  file("e/m_step8.json", with("0.5"));
  const Dataset data = read_table((temp_.path() / "e").string());
  EXPECT_EQ(data.coord("step")->number(0), 8);
  EXPECT_EQ(data["piqa.acc"].number(1), 0.6);
  EXPECT_FALSE(data.has("versions.piqa"));
}

TEST_F(Table, NumpyArraysTakeTheirStepsAndNames) {
  const std::string archive = zip_bytes(
      {{"steps.npy", npy_bytes(Array({"i"}, {2}, std::vector<int64_t>{5, 9}))},
       {"loss.npy", npy_bytes(Array({"i", "j"}, {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}))},
       {"domain.npy", npy_bytes(Array({"j"}, {3}, std::vector<int64_t>{1, 0, 1}))},
       {"domain_names.npy", npy_bytes(Array({"k"}, {2}, std::vector<std::string>{"prose", "k\xc3\xb6ln"}))}});
  const std::string path = file("s.npz", archive);
  const Dataset loss = read_table(path + ":loss");
  EXPECT_EQ(loss["loss"].axes().front(), "step");
  EXPECT_EQ(loss.coord("step")->number(1), 9);
  EXPECT_EQ(loss["loss"].number(5), 6);
  EXPECT_EQ(read_table(path + ":domain")["domain"].text(0), "k\xc3\xb6ln");
  EXPECT_EQ(read_table(path + ":domain")["domain"].text(1), "prose");
}

TEST_F(Table, ALogBecomesStepsWithTheLastNumberOfEach) {
  const Dataset log = read_table(
      file("l.jsonl", "{\"step\":0,\"loss\":3}\n{\"step\":0,\"loss\":2}\n{\"step\":4,\"lr\":1}\n"));
  EXPECT_EQ(log["loss"].number(0), 2);
  EXPECT_TRUE(std::isnan(log["loss"].number(1)));
}

TEST_F(Table, PickledCountsBecomeArraysOverLayerGroupAndExpert) {
  using std::string_literals::operator""s;
  // [{0: 5, 2: 7}, {1: 3}]
  file("one/code.pkl", "\x80\x02](}(K\0K\5K\2K\7u}(K\1K\3ue."s);
  file("one/prose.pkl", "\x80\x02](}(K\0K\1u}(K\2K\4ue."s);
  const Dataset data = read_table((temp_.path() / "one").string());
  EXPECT_EQ(data["counts"].shape(), (std::vector<int64_t>{2, 2, 3}));
  EXPECT_EQ(data["counts"].number(2), 7) << "layer 0, code, expert 2";
  EXPECT_EQ(data["counts"].number((1 * 2 + 1) * 3 + 2), 4) << "layer 1, prose, expert 2";
  // [{(0, 1): 9}]
  file("two/code.pkl", "\x80\x02](}(K\0K\1\x86K\x09ue."s);
  const Dataset joint = read_table((temp_.path() / "two").string());
  EXPECT_EQ(joint["joint"].number(1), 9);
  file("three/code.pkl", "\x80\x02](}(J\xff\xff\xff\x7fK\1ue."s);
  expect_error([&] { read_table((temp_.path() / "three").string()); }, {"expert number"});
}

std::filesystem::path real(const std::string& name) {
  return std::filesystem::path(VARVE_SHARED) / "real" / name;
}

double normalised_entropy(const Dataset& data, int64_t layer, const std::string& group) {
  const int64_t experts = data.extent("expert"), groups = data.extent("group");
  int64_t g = 0;
  while (data.coord("group")->text(g) != group) ++g;
  double sum = 0, entropy = 0;
  for (int64_t e = 0; e < experts; ++e) sum += data["counts"].number((layer * groups + g) * experts + e);
  for (int64_t e = 0; e < experts; ++e)
    if (const double p = data["counts"].number((layer * groups + g) * experts + e) / sum; p > 0)
      entropy -= p * std::log(p);
  return entropy / std::log(static_cast<double>(experts));
}

TEST_F(Table, PublishedExpertCountsAreReadAsTheyWerePickled) {
  const auto folder = real("olmoe-routing/scripts/routing_output/olmoe/expert_counts");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the published counts are not here";
  const Dataset data = read_table(folder.string());
  EXPECT_EQ(data.extent("expert"), 64);
  EXPECT_EQ(data.extent("layer"), 3);
  EXPECT_EQ(data.extent("group"), 6);
  EXPECT_NEAR(normalised_entropy(data, 0, "c4"), .9897, 5e-5);
  EXPECT_NEAR(normalised_entropy(data, 1, "c4"), .9817, 5e-5);
  EXPECT_NEAR(normalised_entropy(data, 2, "c4"), .9683, 5e-5);
}

TEST_F(Table, PublishedEvaluationsAreOneScoreTable) {
  const auto folder = real("pythia-evals");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the published evaluations are not here";
  const Dataset data = read_table(folder.string());
  EXPECT_EQ(data.extent("step"), 27);
  EXPECT_EQ(data.coord("step")->number(26), 143000);
  int64_t at = 0;
  while (data.coord("step")->number(at) != 63000) ++at;
  EXPECT_DOUBLE_EQ(data["lambada_openai.acc"].number(at), 0.39918494081117795);
}

}  // namespace
}  // namespace varve
