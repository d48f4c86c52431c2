// The lens over training as one sentence.
#include "app/session/answer.h"

#include <gtest/gtest.h>

#include <cmath>

namespace varve {
namespace {

// Ranks of the true token at [layer] for one prompt of two tokens; only position 0 has a next one.
Dataset lens(const std::vector<float>& ranks) {
  Dataset data;
  const auto layers = static_cast<int64_t>(ranks.size());
  std::vector<float> all;
  for (const float rank : ranks) all.insert(all.end(), {rank, NAN});
  data.set("rank_true", Array({"layer", "prompt", "pos"}, {layers, 1, 2}, std::move(all)));
  data.set("tokens", Array({"prompt", "pos"}, {1, 2}, std::vector<int64_t>{5, 7}));
  data.set("token_text", Array({"prompt", "pos"}, {1, 2}, std::vector<std::string>{"to", "Mary"}));
  return data;
}

TEST(Answer, NamesTheFirstLayerAndTheStepFromWhichOnItIsRight) {
  const Dataset a = lens({9, 9, 9}), b = lens({9, 9, 1}), c = lens({9, 1, 1}), d = lens({9, 1, 1});
  const auto answer = answer_at({{0, &a}, {10, &b}, {20, &c}, {30, &d}}, 30, 0, 0);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->first_layer, 1);
  EXPECT_EQ(answer->layer_since, 20);
  EXPECT_EQ(answer->output_since, 10);
  EXPECT_EQ(
      answer->sentence,
      "At step 30 layer 1 is the first to say Mary after to; it says so from step 20 on. The output says it "
      "from step 10 on.");
}

TEST(Answer, AStepThatForgetsBeginsTheCountAnew) {
  const Dataset right = lens({9, 1}), wrong = lens({9, 4});
  const auto answer = answer_at({{0, &right}, {10, &wrong}, {20, &right}}, 25, 0, 0);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->step, 20) << "the nearest earlier one";
  EXPECT_EQ(answer->output_since, 20);
  EXPECT_EQ(answer->sentence,
            "At step 20 the output is the first to say Mary after to; it says so at step 20 only.");
}

TEST(Answer, SaysSoWhereNoLayerIsRight) {
  const Dataset right = lens({9, 1}), wrong = lens({9, 4});
  EXPECT_EQ(answer_at({{0, &wrong}, {10, &right}}, 0, 0, 0)->sentence,
            "At step 0 no layer says Mary after to. The output says it at step 10 only.");
  EXPECT_EQ(answer_at({{0, &right}, {10, &wrong}}, 10, 0, 0)->output_since, std::nullopt);
}

TEST(Answer, TheLastTokenHasNone) {
  const Dataset right = lens({9, 1});
  EXPECT_FALSE(answer_at({{0, &right}}, 0, 0, 1));
  EXPECT_FALSE(answer_at({{0, &right}}, 0, 1, 0));
  EXPECT_FALSE(answer_at({}, 0, 0, 0));
  Dataset other;
  other.set("loss", Array({"pos"}, {2}, std::vector<float>{1, 2}));
  EXPECT_FALSE(answer_at({{0, &other}}, 0, 0, 0));
}

}  // namespace
}  // namespace varve
