// varve info: stores and sources, for people and for machines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/program.h"

namespace varve {
namespace {

using testing::HasSubstr;

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

}  // namespace
}  // namespace varve
