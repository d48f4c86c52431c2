// varve list: every kind, for people and for machines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace varve {
namespace {

using testing::HasSubstr;

nlohmann::json listed(const std::string& kind) {
  const Ended ended = varve_run({"list", kind, "--json"}, {{"VARVE_DATASETS", VARVE_SOURCE "/datasets"}});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  return nlohmann::json::parse(ended.out);
}

TEST(List, HasEveryKindOfTheContract) {
  for (const std::string kind : {"analyses", "views", "formats", "families", "datasets"}) {
    const nlohmann::json items = listed(kind);
    EXPECT_GT(items.size(), 0U) << kind;
    for (const auto& item : items) EXPECT_FALSE(item["name"].get<std::string>().empty());
  }
  EXPECT_EQ(listed("plugins").size(), 0U);
}

TEST(List, AnalysesComeWithTheirSettings) {
  for (const auto& analysis : listed("analyses"))
    if (analysis["name"] == "logit-lens") {
      EXPECT_GT(analysis["settings"].size(), 0U);
      EXPECT_TRUE(analysis["settings"][0].contains("default"));
      return;
    }
  FAIL() << "there is no logit-lens";
}

TEST(List, AnUnknownKindNamesTheNearest) {
  const Ended ended = varve_run({"list", "analysis"});
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_THAT(ended.err, HasSubstr("did you mean 'analyses'"));
}

}  // namespace
}  // namespace varve
