// Undo and redo of what a person chose.
#include "app/session/history.h"

#include <gtest/gtest.h>

namespace varve {
namespace {

Choice at_step(int64_t step) {
  Choice choice;
  choice.step = step;
  return choice;
}

TEST(History, UndoBringsBackWhatWasThereAndRedoTakesItAgain) {
  History history;
  history.clear(at_step(0));
  history.change(at_step(1), "go to step 1");
  history.change(at_step(2), "go to step 2");
  EXPECT_EQ(history.would_undo(), "go to step 2");
  ASSERT_TRUE(history.undo());
  EXPECT_EQ(history.now(), at_step(1));
  EXPECT_EQ(history.would_redo(), "go to step 2");
  ASSERT_TRUE(history.redo());
  EXPECT_EQ(history.now(), at_step(2));
  EXPECT_FALSE(history.redo());
}

TEST(History, OneDragIsOneAct) {
  History history;
  history.clear(at_step(0));
  for (int64_t step = 1; step < 50; ++step) history.change(at_step(step), "go to step", 7);
  ASSERT_TRUE(history.undo());
  EXPECT_EQ(history.now(), at_step(0));
  EXPECT_FALSE(history.undo());
}

TEST(History, TwoDragsAreTwoActs) {
  History history;
  history.clear(at_step(0));
  history.change(at_step(1), "go to step", 7);
  history.change(at_step(2), "go to step", 8);
  history.undo();
  EXPECT_EQ(history.now(), at_step(1));
}

TEST(History, ANewActAfterUndoDropsWhatCouldBeRedone) {
  History history;
  history.clear(at_step(0));
  history.change(at_step(1), "one");
  history.undo();
  history.change(at_step(5), "five");
  EXPECT_EQ(history.would_redo(), "");
  EXPECT_FALSE(history.redo());
}

TEST(History, AnActThatChangesNothingIsNoAct) {
  History history;
  history.clear(at_step(3));
  history.change(at_step(3), "go to step 3");
  EXPECT_FALSE(history.undo());
}

}  // namespace
}  // namespace varve
