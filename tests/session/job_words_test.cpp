// Rows of the jobs dock and the lines of an error card.
#include "app/session/job_words.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

TEST(JobWords, TheTimeLeftFollowsFromWhatIsDone) {
  EXPECT_EQ(time_left(0.5, 10), "10.0 s left");
  EXPECT_EQ(time_left(0.01, 10), "") << "too early to judge";
  EXPECT_EQ(time_left(1, 10), "");
}

TEST(JobWords, AnErrorIsSaidInThreeLines) {
  const ErrorLines lines =
      error_lines("run logit-lens", "step 58k: tensor 'W_O' holds 3 NaN. Leave that step out.");
  EXPECT_EQ(lines.asked, "run logit-lens");
  EXPECT_EQ(lines.found, "step 58k: tensor 'W_O' holds 3 NaN.");
  EXPECT_EQ(lines.try_this, "Leave that step out.");
  EXPECT_NE(lines.whole().find("found: step 58k"), std::string::npos);
  EXPECT_FALSE(error_lines("a", "one sentence only").try_this.empty());
  EXPECT_EQ(error_lines("a", "file.h5: cut short. Copy it again?").try_this, "Copy it again?");
}

}  // namespace
}  // namespace varve
