// What the session keeps of results it has read, and prompts that have a name of their own.
#include <gtest/gtest.h>

#include "app/session/prompt.h"
#include "app/session/session.h"

namespace varve {
namespace {

TEST(StoredResults, ThoseThatNobodyShowsGoFirstTheLongestUnasked) {
  std::map<std::string, StoredResult> results;
  const auto add = [&results](const char* key, uint64_t asked) {
    results[key] = {std::make_shared<const Dataset>(), "", 100, asked};
  };
  add("old", 1);
  add("shown", 2);
  add("middle", 3);
  add("new", 4);
  results["damaged"] = {nullptr, "cannot be read", 0, 0};
  const std::shared_ptr<const Dataset> on_screen = results["shown"].data;
  keep_within(results, 400);
  EXPECT_EQ(results.size(), 5U);
  keep_within(results, 250);
  EXPECT_FALSE(results.contains("old"));
  EXPECT_FALSE(results.contains("middle"));
  EXPECT_TRUE(results.contains("new"));
  keep_within(results, 50);
  EXPECT_TRUE(results.contains("shown")) << "or it would be read again at once, for ever";
  EXPECT_TRUE(results.contains("damaged"));
}

TEST(NamedPrompts, AreGivenToTheProgramByTheirOption) {
  const auto named = named_prompts("pack: repeat-random:prompts=2,period=6");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->option + " " + named->name, "--probes repeat-random:prompts=2,period=6");
  EXPECT_EQ(named_prompts("task:  a b.toml ")->name, "a b.toml");
  EXPECT_EQ(named_prompts("lines: x.txt")->option, "--text-file");
  for (const char* other : {"The king said", "ids: 1 2", "as in: logit-lens/00", ""})
    EXPECT_FALSE(named_prompts(other)) << other;
}

}  // namespace
}  // namespace varve
