// What the start page says of a Hugging Face cache.
#include "app/session/hub_cache.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class HubCache : public testing::Test {
 protected:
  void repository(const std::string& name, const std::string& revision, const std::string& config,
                  bool with_weights = true) {
    const auto snapshot = folder_.path() / ("models--" + name) / "snapshots" / revision;
    std::filesystem::create_directories(snapshot);
    std::ofstream(snapshot / "config.json") << config;
    if (with_weights) std::ofstream(snapshot / "model.safetensors") << "x";
  }
  std::vector<HubModel> look() {
    Task task;
    return look_into_hub({folder_.path(), folder_.path() / "absent"}, task);
  }
  TempFolder folder_;
};

TEST_F(HubCache, NamesWhatCanBeOpenedFirstAndCountsItsRevisions) {
  repository("example--vision", "a", R"({"model_type": "vit"})");
  repository("example-org--base-70m", "a", R"({"model_type": "gpt_neox"})");
  repository("example-org--base-70m", "b", R"({"model_type": "gpt_neox"})");
  std::filesystem::create_directories(folder_.path() / "datasets--example--words");
  const auto models = look();
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[0].name, "example-org / base-70m");
  EXPECT_EQ(models[0].revisions, 2);
  EXPECT_EQ(models[0].problem, "");
  EXPECT_EQ(models[1].problem, "not supported: vit");
  EXPECT_NE(models[1].detail.find("varve list families"), std::string::npos);
}

TEST_F(HubCache, SaysWhyTheOthersCannotBeOpened) {
  repository("a--quantised", "a", R"({"model_type": "llama", "quantization_config": {"bits": 4}})");
  repository("b--bare", "a", R"({"model_type": "gpt_neox"})", false);
  repository("c--broken", "a", "{");
  std::filesystem::create_directories(folder_.path() / "models--d--absent" / "snapshots");
  std::filesystem::create_directories(folder_.path() / "models--e--other" / "snapshots" / "a");
  std::map<std::string, std::string> problems;
  for (const HubModel& model : look()) {
    problems[model.name] = model.problem;
    EXPECT_FALSE(model.detail.empty()) << model.name;
  }
  EXPECT_EQ(problems["a / quantised"], "not supported: quantised");
  EXPECT_EQ(problems["b / bare"], "weights not downloaded");
  EXPECT_EQ(problems["c / broken"], "config.json damaged");
  EXPECT_EQ(problems["d / absent"], "not downloaded");
  EXPECT_EQ(problems["e / other"], "no config.json");
}

TEST_F(HubCache, AFileThatHoldsAnythingElseIsNoReasonToFail) {
  repository("a--number", "a", "7");
  repository("b--list", "a", R"({"model_type": 3, "architectures": [1]})");
  for (const HubModel& model : look()) EXPECT_FALSE(model.problem.empty()) << model.name;
}

}  // namespace
}  // namespace varve
