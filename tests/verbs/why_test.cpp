// varve why: what a key is made of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace varve {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(Why, SaysInWhichPartsSiblingsDiffer) {
  const TinyStore store("0,1");
  auto words = store.lens_words();
  words.push_back("--json");
  const std::string key = nlohmann::json::parse(varve_run(words).out)["cells"][0]["key"];
  const Ended ended = varve_run({"why", key.substr(0, 10), store.path(), "--json"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const auto json = nlohmann::json::parse(ended.out);
  EXPECT_EQ(json["key"], key);
  EXPECT_EQ(json["others"], 1);
  EXPECT_EQ(json["differ_in"], nlohmann::json({"weights"}));
  EXPECT_EQ(json["parts"]["compute"], "f32");
}

TEST(Why, ASeriesNamesTheStepsOfItsCells) {
  const TinyStore store("0,16");
  auto words = store.lens_words();
  words.push_back("--json");
  const auto run = nlohmann::json::parse(varve_run(words).out);
  const std::string key = run["reduce_key"], cell = run["cells"][1]["key"];
  const Ended ended = varve_run({"why", key, store.path()});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("cell of step 16"));
  EXPECT_THAT(ended.out, HasSubstr(cell));
  const auto json = nlohmann::json::parse(varve_run({"why", key, store.path(), "--json"}).out);
  EXPECT_THAT(json["parts"]["cells"].get<std::string>(), HasSubstr("16:" + cell));
}

TEST(Why, AnUnknownKeyIsBadInput) {
  const TinyStore store("0");
  const Ended ended = varve_run({"why", "0123", store.path()});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_THAT(ended.err, HasSubstr("0123"));
}

}  // namespace
}  // namespace varve
