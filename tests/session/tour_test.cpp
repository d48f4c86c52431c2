// The tour waits for the person's own acts.
#include "app/session/tour.h"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace varve {
namespace {

TEST(Tour, EachStepWaitsForItsOwnAct) {
  Tour tour;
  TourSight sight;
  EXPECT_FALSE(tour.see(sight)) << "nothing is seen before it begins";
  tour.begin();
  EXPECT_FALSE(tour.see(sight));
  sight.is_open = true;
  sight.step = 7000;
  EXPECT_TRUE(tour.see(sight));

  EXPECT_EQ(tour.target(), Tour::Target::rail);
  EXPECT_FALSE(tour.see(sight));
  for (const int64_t step : {5000, 4000}) {
    sight.step = step;
    EXPECT_FALSE(tour.see(sight)) << step;
  }
  sight.step = 5000;
  EXPECT_FALSE(tour.see(sight)) << "a step that was seen already is no other step";
  sight.step = 3000;
  EXPECT_TRUE(tour.see(sight));

  EXPECT_FALSE(tour.see(sight));
  sight.reads_cell = true;
  EXPECT_TRUE(tour.see(sight));

  sight.top_layer = 4;
  EXPECT_FALSE(tour.see(sight));
  sight.selected = {{"layer", 2}, {"pos", 1}};
  EXPECT_FALSE(tour.see(sight)) << "not the top cell";
  sight.selected = {{"layer", 4}, {"pos", 1}};
  sight.answer = "It is right from step 4k on.";
  EXPECT_TRUE(tour.see(sight));
  EXPECT_EQ(tour.after(), "It is right from step 4k on.") << "the answer is shown as a sentence";

  sight.cells_of = {"lens"};
  EXPECT_FALSE(tour.see(sight));
  sight.has_pin = sight.is_at_last = true;
  EXPECT_FALSE(tour.see(sight)) << "a run from before the step does not count";
  sight.cells_of = {"lens", "another"};
  EXPECT_TRUE(tour.see(sight));

  sight.kept = 1;
  EXPECT_FALSE(tour.see(sight)) << "kept before the step began";
  sight.kept = 2;
  EXPECT_TRUE(tour.see(sight));
  EXPECT_TRUE(tour.finished());
  EXPECT_FALSE(tour.running());
}

TEST(Tour, SkipAndBackMoveAndBeginGoesOnWhereItWas) {
  Tour tour(2);
  tour.begin();
  EXPECT_EQ(tour.step(), 2);
  tour.skip();
  EXPECT_EQ(tour.step(), 3);
  EXPECT_EQ(tour.done(), 3);
  tour.back();
  EXPECT_EQ(tour.step(), 2);
  EXPECT_EQ(tour.done(), 3) << "what was done stays done";
  tour.end();
  tour.begin();
  EXPECT_EQ(tour.step(), 3);
}

TEST(Tour, AFinishedTourBeginsAnew) {
  Tour tour(6);
  EXPECT_TRUE(tour.finished());
  tour.begin();
  EXPECT_EQ(tour.step(), 0);
}

TEST(Tour, ProgressIsKept) {
  const TempFolder folder;
  const auto file = folder.path() / "new" / "tour";
  EXPECT_EQ(read_tour_progress(file), 0);
  write_tour_progress(file, 3);
  EXPECT_EQ(read_tour_progress(file), 3);
}

TEST(Tour, EveryStepHasATitleAndASentence) {
  Tour tour;
  tour.begin();
  for (int step = 0; step < Tour::steps; ++step) {
    EXPECT_FALSE(tour_title(step).empty());
    EXPECT_FALSE(tour.sentence().empty());
    tour.skip();
  }
}

}  // namespace
}  // namespace varve
