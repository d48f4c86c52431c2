// varve info: stores and sources, for people and for machines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/safetensors_writer.h"

namespace varve {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Info, TellsWhatAStoreHolds) {
  const TinyStore store("0,1,16");
  const Ended ended = varve_run({"info", store.path(), "--json"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  EXPECT_EQ(json["kind"], "store");
  ASSERT_EQ(json["checkpoints"].size(), 3U);
  EXPECT_EQ(json["checkpoints"][2]["step"], 16);
  EXPECT_EQ(json["checkpoints"][2]["nonfinite"], 0);
  EXPECT_TRUE(json["checkpoints"][0]["change"].is_null());
  EXPECT_GT(json["checkpoints"][2]["change"].get<double>(), 0);
  EXPECT_EQ(json["spec"]["layers"], 4);
  EXPECT_EQ(json["tokenizer"], true);
}

TEST(Info, LooksAtASourceWithoutImportingIt) {
  const Ended ended = varve_run({"info", series_folder()});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("not imported yet"));
  EXPECT_THAT(ended.out, HasSubstr("7000"));
}

TEST(Info, ListsTheTensorsOfABareFileOfWeights) {
  const TempFolder folder;
  const std::filesystem::path file = folder.path() / "probe.safetensors";
  write_text(file, raw_safetensors(R"({"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                   R"("a.bias":{"dtype":"F16","shape":[3],"data_offsets":[24,30]}})",
                                   std::string(30, 'x')));
  const Ended shown = varve_run({"info", file.string()});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("2 tensors"));
  EXPECT_THAT(shown.out, HasSubstr("2 x 3"));
  const Ended ended = varve_run({"info", file.string(), "--json"});
  const auto tensors = nlohmann::json::parse(ended.out)["parts"][0]["tensors"];
  ASSERT_EQ(tensors.size(), 2U);
  const size_t weight = tensors[0]["name"] == "a.weight" ? 0 : 1;
  EXPECT_EQ(tensors[weight]["dtype"], "f32");
  EXPECT_EQ(tensors[weight]["shape"], nlohmann::json({2, 3}));
  EXPECT_EQ(tensors[weight]["bytes"], 24);
  EXPECT_EQ(tensors[1 - weight]["dtype"], "f16");
}

TEST(Info, TellsWhatAResultIsMadeOf) {
  const TinyStore store("0,16");
  const std::string file = store.file("lens.h5");
  const Ended run =
      varve_run({"run", "logit-lens", store.path(), "--text", "The king", "-o", file, "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Ended shown = varve_run({"info", file});
  ASSERT_EQ(shown.exit_code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("step layer"));
  EXPECT_THAT(shown.out, HasSubstr("ok   last layer = model output"));
  EXPECT_THAT(shown.out, HasSubstr("logit-lens"));
  EXPECT_THAT(shown.out, HasSubstr("(with high, low, n)"));
  EXPECT_THAT(shown.out, Not(HasSubstr("prob_true_low")));
  const auto of_file = nlohmann::json::parse(varve_run({"info", file, "--json"}).out);
  EXPECT_EQ(of_file["kind"], "result");
  EXPECT_EQ(of_file["arrays"]["prob_true"]["shape"][0], 2);
  EXPECT_FALSE(of_file["arrays"]["prob_true"].contains("values"));
  const std::string key =
      nlohmann::json::parse(varve_run({"info", store.path(), "--json"}).out)["results"][0]["key"];
  const Ended of_store = varve_run({"info", store.path() + ":" + key, "--json"});
  ASSERT_EQ(of_store.exit_code, 0) << of_store.err;
  EXPECT_EQ(nlohmann::json::parse(of_store.out)["provenance"]["analysis"], "logit-lens");
  EXPECT_EQ(varve_run({"info", store.path() + ":none"}).exit_code, 3);
}

TEST(Info, RefusesAFileThatIsNoneOfWeights) {
  const TempFolder folder;
  write_text(folder.path() / "words.txt", "hello");
  EXPECT_EQ(varve_run({"info", (folder.path() / "words.txt").string()}).exit_code, 3);
}

}  // namespace
}  // namespace varve
