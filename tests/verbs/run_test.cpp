// varve run: computes what is missing, keeps it, and says what it did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analysis/store/run_store.h"
#include "tests/support/program.h"
#include "tests/support/safetensors_writer.h"

namespace varve {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<std::string> with(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

nlohmann::json lens(const TinyStore& store) {
  const Ended ended = varve_run(with(store.lens_words(), {"--json"}));
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  return nlohmann::json::parse(ended.out);
}

TEST(Run, ASecondRunComputesNothing) {
  const TinyStore store("0,1");
  const auto first = lens(store), second = lens(store);
  EXPECT_EQ(first["computed"], 2);
  EXPECT_EQ(second["computed"], 0);
  EXPECT_EQ(second["cached"], 2);
  EXPECT_EQ(first["cells"], second["cells"]);
  EXPECT_EQ(first["reduce_key"], second["reduce_key"]);
  EXPECT_TRUE(std::filesystem::exists(second["path"].get<std::string>()));
  EXPECT_THAT(varve_run(store.lens_words()).out, HasSubstr("0 computed, 2 from the store; nothing computed"));
}

TEST(Run, TwoNewCheckpointsCostTwoCells) {
  const TinyStore store("0,1");
  EXPECT_EQ(lens(store)["computed"], 2);
  ASSERT_EQ(store.import("16,64").exit_code, 0);
  const auto json = lens(store);
  EXPECT_EQ(json["computed"], 2);
  EXPECT_EQ(json["cached"], 2);
}

TEST(Run, StepsSelectCheckpoints) {
  const TinyStore store("0,1,16");
  const Ended ended = varve_run(with(store.lens_words(), {"--json", "--steps", "first,last"}));
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  ASSERT_EQ(json["cells"].size(), 2U);
  EXPECT_EQ(json["cells"][1]["step"], 16);
}

TEST(Run, EverySettingIsDeclared) {
  const TinyStore store("0");
  const Ended ended = varve_run(with(store.lens_words(), {"--set", "topk=3"}));
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("top_k"));
  const Ended known = varve_run(with(store.lens_words(), {"--set", "top_k=3"}));
  EXPECT_EQ(known.exit_code, 0) << known.err;
}

TEST(Run, HelpShowsTheSettingsOfOneAnalysis) {
  const Ended one = varve_run({"run", "logit-lens", "--help"});
  EXPECT_EQ(one.exit_code, 0);
  EXPECT_THAT(one.out, AllOf(HasSubstr("top_k"), HasSubstr("default 5")));
  EXPECT_THAT(varve_run({"run", "--help"}).out, HasSubstr("logit-lens"));
}

TEST(Run, OverBudgetNamesWhatToChange) {
  const TinyStore store("0");
  const Ended ended = varve_run(with(store.lens_words(), {"--max-memory", "1K"}));
  EXPECT_EQ(ended.exit_code, 4);
  EXPECT_THAT(ended.err, HasSubstr("--max-memory"));
}

TEST(Run, WritesTheResultWhereAsked) {
  const TinyStore store("0,1");
  const std::string file = store.file("lens.h5");
  ASSERT_EQ(varve_run(with(store.lens_words(), {"-o", file})).exit_code, 0);
  EXPECT_EQ(read_dataset(file).extent("step"), 2);
}

TEST(Run, NeedsOneKindOfPrompts) {
  const TinyStore store("0");
  EXPECT_EQ(varve_run({"run", "logit-lens", store.path()}).exit_code, 2);
  EXPECT_EQ(varve_run(with(store.lens_words(), {"--probes", "repeat-random"})).exit_code, 2);
}

TEST(Run, PacksAndTokenFilesGiveTheSameCellAsTheirIds) {
  const TinyStore store("0");
  const std::string script =
      "import numpy as np, sys; np.savez_compressed(sys.argv[1], tokens=np.array([[5,6,7],[8,9,0]], "
      "'int32'), "
      "lengths=np.array([3,2])); np.save(sys.argv[2], np.array([[5,6,7]], 'int64', order='F'))";
  ASSERT_EQ(run_words({"/usr/bin/python3", "-c", script, store.file("a.npz"), store.file("b.npy")}).exit_code,
            0);
  const auto cells = [&](const std::vector<std::string>& probes) {
    const Ended ended = varve_run(with({"run", "logit-lens", store.path(), "--json"}, probes));
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    return nlohmann::json::parse(ended.out)["cells"].dump();
  };
  const std::string packed = cells({"--tokens", store.file("a.npz")});
  EXPECT_EQ(packed, cells({"--tokens", store.file("a.npz") + ":tokens"}));
  EXPECT_NE(packed, cells({"--tokens", store.file("b.npy")}));
}

// A table and a result of the store, each under the name that the analysis gives its inputs.
TEST(Run, InputsAreReadFromTablesAndFromTheStore) {
  const TinyStore store("0,1,16,64,256");
  write_text(store.file("scores.csv"), "step,score\n0,1\n1,2\n16,4\n64,3\n256,7\n");
  write_text(store.file("twice.csv"), "step,metric\n0,3\n1,5\n16,9\n64,7\n256,15\n");
  const std::string scores = "scores=" + store.file("scores.csv");
  const std::vector<std::string> words = {
      "run", "metric-correlation", store.path(), "--json", "--with", scores, "-o", store.file("r.h5")};
  const Ended table = varve_run(with(words, {"--with", "metric=" + store.file("twice.csv")}));
  ASSERT_EQ(table.exit_code, 0) << table.err;
  EXPECT_NEAR(read_dataset(store.file("r.h5"))["pearson"].number(0), 1, 1e-12);  // twice the score and one
  const std::string table_key = nlohmann::json::parse(table.out)["reduce_key"];

  const Ended heads = varve_run(
      {"run", "head-detectors", store.path(), "--probes", "repeat-random:prompts=2,period=6", "--json"});
  ASSERT_EQ(heads.exit_code, 0) << heads.err;
  const std::string key = nlohmann::json::parse(heads.out)["reduce_key"];
  const Ended stored =
      varve_run(with(words, {"--with", "metric=" + store.path() + ":" + key, "--set", "metrics=induction*"}));
  ASSERT_EQ(stored.exit_code, 0) << stored.err;
  EXPECT_NE(nlohmann::json::parse(stored.out)["reduce_key"], table_key);
}

TEST(Run, AnInputThatIsMissingOrNotDeclaredIsNamed) {
  const TinyStore store("0,1");
  write_text(store.file("scores.csv"), "step,score\n0,1\n1,2\n");
  const std::string file = store.file("scores.csv");
  const std::vector<std::string> words = {"run", "metric-correlation", store.path(), "--with",
                                          "scores=" + file};
  const Ended missing = varve_run(words);
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("metric"));
  const Ended unknown = varve_run(with(words, {"--with", "metric=" + file, "--with", "rival=" + file}));
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("rivals"));
  const Ended absent = varve_run(with(words, {"--with", "metric=" + store.file("absent.csv")}));
  EXPECT_EQ(absent.exit_code, 3);
  EXPECT_THAT(absent.err, HasSubstr("absent.csv"));
}

TEST(Run, WithoutATokenizerTextsAreRefused) {
  const TempFolder folder;
  const std::string path = (folder.path() / "bare.varve").string();
  ASSERT_EQ(varve_run({"import", VARVE_SOURCE "/tests/golden/gpt2", "-o", path}).exit_code, 0);
  const Ended ended = varve_run({"run", "logit-lens", path, "--text", "a"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("--tokens"));
}

}  // namespace
}  // namespace varve
