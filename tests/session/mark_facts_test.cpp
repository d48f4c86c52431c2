// What is said of one mark of a result.
#include "app/session/mark_facts.h"

#include <gtest/gtest.h>

#include <cmath>

namespace varve {
namespace {

// Two steps, one layer of two heads: a score with interval and chance, one by layer, one by prompt.
Dataset series() {
  Dataset data;
  data.set("induction", Array({"step", "layer", "head"}, {2, 1, 2}, std::vector<double>{0, 0.1, 0.5, 0.75}));
  data.set("induction_low", Array({"step", "layer", "head"}, {2, 1, 2}, std::vector<double>{0, 0, 0.4, 0.7}));
  data.set("induction_high",
           Array({"step", "layer", "head"}, {2, 1, 2}, std::vector<double>{0, 0.2, 0.6, 0.8}));
  data.set("induction_chance", Array({"step"}, {2}, std::vector<double>{0.2, 0.2}));
  data.set("norm", Array({"layer"}, {1}, std::vector<double>{7}));
  data.set("by_prompt", Array({"layer", "prompt"}, {1, 3}, std::vector<double>{1, 2, 3}));
  data.set_coord("step", Array({"step"}, {2}, std::vector<int64_t>{0, 500}));
  return data;
}

ViewContent content_of(Dataset data, std::map<std::string, int64_t> at) {
  ViewContent content;
  content.data = std::make_shared<const Dataset>(std::move(data));
  content.analysis = "head-detectors";
  content.key = "0123456789abcdef";
  content.selection.at = std::move(at);
  return content;
}

TEST(MarkFacts, AHeadIsSaidWithEveryNumberThatIsItsOwn) {
  const ViewContent content = content_of(series(), {{"layer", 0}, {"head", 1}, {"step", 1}});
  const auto facts = mark_facts(content, content.data.get(), std::nullopt);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->heading, "Head L0H1");
  EXPECT_EQ(facts->under, "head-detectors, step 500");
  ASSERT_EQ(facts->numbers.size(), 2U) << "nothing that needs a prompt as well";
  EXPECT_EQ(facts->numbers[0].value, "0.750");
  EXPECT_EQ(facts->numbers[0].interval, "0.700 – 0.800");
  EXPECT_EQ(facts->numbers[0].tone, Fact::Tone::good) << "it lies above chance";
  EXPECT_EQ(facts->numbers[1].value, "7");
  ASSERT_TRUE(facts->course);
  EXPECT_EQ(facts->course->steps, (std::vector<int64_t>{0, 500}));
  EXPECT_EQ(facts->course->value, (std::vector<double>{0.1, 0.75}));
  EXPECT_EQ(facts->course->high, (std::vector<double>{0.2, 0.8}));
  EXPECT_EQ(facts->origin.front().value, "head-detectors / 01234567");
}

TEST(MarkFacts, ThePinnedStepStandsBeside) {
  const ViewContent content = content_of(series(), {{"layer", 0}, {"head", 1}, {"step", 1}});
  EXPECT_EQ(mark_facts(content, content.data.get(), 0)->numbers[0].at_pin, "0.100");
}

TEST(MarkFacts, OneStepTakesItsCourseFromTheSeriesBeside) {
  Dataset cell;
  cell.set("induction", Array({"layer", "head"}, {1, 2}, std::vector<double>{0.5, 0.75}));
  ViewContent content = content_of(cell, {{"layer", 0}, {"head", 0}});
  content.step = 500;
  EXPECT_FALSE(mark_facts(content, nullptr, std::nullopt)->course);
  const Dataset beside = series();
  const auto facts = mark_facts(content, &beside, std::nullopt);
  ASSERT_TRUE(facts && facts->course);
  EXPECT_EQ(facts->course->value, (std::vector<double>{0, 0.5}));
}

TEST(MarkFacts, ASeriesOfOtherPromptsIsNotTakenForItsOwn) {
  Dataset cell;
  cell.set("induction", Array({"layer", "head"}, {1, 2}, std::vector<double>{0.51, 0.75}));
  ViewContent content = content_of(cell, {{"layer", 0}, {"head", 0}});
  content.step = 500;
  const Dataset beside = series();
  const auto facts = mark_facts(content, &beside, 0);
  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->course) << "0.51 here, 0.5 there";
  EXPECT_EQ(facts->numbers[0].at_pin, "");
  content.step = 499;
  EXPECT_FALSE(mark_facts(content, &beside, 0)->course) << "no such step there";
}

TEST(MarkFacts, AMarkWithoutArraysOfItsOwnIsSaidAsItsTipSaysIt) {
  const auto facts = facts_of_tip(content_of(Dataset(), {}), "L3 E0\nsamples\t40\nmost of\tfacts\n");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->heading, "L3 E0");
  ASSERT_EQ(facts->numbers.size(), 2U);
  EXPECT_EQ(facts->numbers[1].name, "most of");
  EXPECT_EQ(facts->numbers[1].value, "facts");
  EXPECT_FALSE(facts_of_tip(content_of(Dataset(), {}), ""));
}

TEST(MarkFacts, WithoutAPlaceOfItsOwnThereIsNothingToSay) {
  EXPECT_FALSE(mark_facts(content_of(series(), {{"step", 1}}), nullptr, std::nullopt));
  EXPECT_FALSE(mark_facts(content_of(Dataset(), {{"layer", 0}}), nullptr, std::nullopt));
  EXPECT_EQ(mark_name(series(), {.at = {{"layer", 0}, {"prompt", 2}}}), "Layer 0 · prompt 2");
}

}  // namespace
}  // namespace varve
