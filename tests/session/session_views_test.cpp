// Views, pins, sets and ways back in the session: each act undone, all of it written and restored.
#include <gtest/gtest.h>

#include "app/session/choice_json.h"
#include "app/session/command_line.h"
#include "app/session/layouts.h"
#include "app/session/results.h"
#include "app/session/session.h"
#include "app/session/view_content.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

class ViewsOfTheDemo : public testing::Test {
 protected:
  void SetUp() override {
    demo_ = std::filesystem::path(VARVE_SOURCE) / "datasets" / "tiny-neox";
    if (!std::filesystem::exists(demo_)) GTEST_SKIP() << demo_ << " is not here";
    session_ = std::make_unique<Session>([] {}, folder_.path());
    open(*session_, std::nullopt);
  }
  void open(Session& session, std::optional<Choice> restore) {
    session.open(demo_, std::move(restore));
    wait(session);
    ASSERT_TRUE(session.opened()) << session.open_error();
  }
  static void wait(Session& session) {
    // A job hands over its last part before it ends; what it hands over may begin another.
    for (int round = 0; round < 3; ++round) {
      for (const auto& job : session.jobs().all())
        while (!job->finished()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      session.settle();
    }
  }
  ViewContent content(Session& session, size_t place) {
    return contents_.of(session, session.bench().views.at(place));
  }
  void run() {
    session_->type("The king said");
    session_->run("logit-lens");
    wait(*session_);
  }

  TempFolder folder_;
  std::filesystem::path demo_;
  std::unique_ptr<Session> session_;
  ViewContents contents_;
};

TEST_F(ViewsOfTheDemo, TheLayoutLensIsOpenAndSaysWhyItIsEmpty) {
  ASSERT_EQ(session_->bench().views.size(), 3U);
  EXPECT_FALSE(content(*session_, 0).view);
  EXPECT_NE(content(*session_, 0).empty, "");
  run();
  EXPECT_EQ(content(*session_, 0).view->name, "lens-table");
  EXPECT_EQ(content(*session_, 1).view->name, "heat-map");
  EXPECT_EQ(content(*session_, 2).view->name, "lines");
}

TEST_F(ViewsOfTheDemo, OneSelectionIsFollowedByEveryViewThatHasTheAxis) {
  run();
  session_->select({{"layer", 2}, {"pos", 1}}, 512);
  EXPECT_EQ(content(*session_, 0).selection.at, (std::map<std::string, int64_t>{{"layer", 2}, {"pos", 1}}));
  const ViewContent map = content(*session_, 1);
  EXPECT_EQ(map.selection.index("layer"), 2);
  ASSERT_TRUE(map.selection.index("step"));
  EXPECT_EQ(map.data->coord("step")->number(*map.selection.index("step")), 512);
  EXPECT_FALSE(map.selection.index("pos")) << "it has no such axis";
}

TEST_F(ViewsOfTheDemo, AnUnlinkedViewKeepsItsStep) {
  run();
  const int64_t id = session_->bench().views[0].id;
  session_->change_view(id, "unlink the view", [](OpenView& view) { view.own_step = 512; });
  session_->go_to_step(0);
  EXPECT_EQ(content(*session_, 0).step, 512);
  EXPECT_NE(content(*session_, 0).note.find("unlinked"), std::string::npos);
  session_->undo();
  session_->undo();
  session_->go_to_step(0);
  EXPECT_EQ(content(*session_, 0).step, 0);
}

TEST_F(ViewsOfTheDemo, CompareDrawsAThenNowThenTheirDifference) {
  run();
  session_->go_to_step(512);
  session_->pin();
  EXPECT_EQ(session_->choice().pin, 512);
  session_->go_to_step(7000);
  session_->use_layout(compare_layout(session_->bench().views[0]), "Compare");
  const ViewContent a = content(*session_, 0), now = content(*session_, 1), change = content(*session_, 2);
  EXPECT_EQ(a.step, 512);
  EXPECT_EQ(now.step, 7000);
  const Array &p = (*a.data)["prob_true"], &q = (*now.data)["prob_true"], &d = (*change.data)["prob_true"];
  ASSERT_EQ(d.size(), q.size());
  for (int64_t i = 0; i < d.size(); ++i) {
    if (std::isnan(q.number(i)))
      EXPECT_TRUE(std::isnan(d.number(i)));
    else
      EXPECT_EQ(d.number(i), q.number(i) - p.number(i));
  }
  EXPECT_EQ(change.options.at("map"), "tide");
  session_->swap_pin();
  EXPECT_EQ(session_->choice().pin, 7000);
  EXPECT_EQ(session_->stop()->step, 512);
  session_->pin();
  EXPECT_EQ(session_->choice().pin, 512) << "another step is pinned instead";
  session_->pin();
  EXPECT_FALSE(session_->choice().pin) << "pinning the pinned step takes the pin away";
}

TEST_F(ViewsOfTheDemo, AResultOfTheStoreIsSetAgainstAAsOneThatWasRunHere) {
  run();
  std::vector<StoredRun> found;
  {
    ResultShelf shelf;
    Task task;
    found = shelf.look(*session_->opened()->store, session_->opened()->tokenizer.get(), task);
  }
  const OpenView table = session_->bench().views[0];
  Session later([] {}, folder_.path());
  open(later, std::nullopt);
  later.know_results(found);
  later.go_to_step(512);
  later.pin();
  later.go_to_step(7000);
  OpenView difference = table;
  difference.against = OpenView::Against::difference;
  ViewContents contents;
  contents.of(later, difference);  // asks for both cells
  wait(later);
  contents.of(later, difference);
  wait(later);
  const ViewContent drawn = contents.of(later, difference);
  ASSERT_TRUE(drawn.data) << drawn.empty;
  EXPECT_EQ(drawn.note, "now minus A, step 7k minus 512");
  const std::string line = command_line_of(later, difference, drawn);
  EXPECT_NE(line.find(" --against "), std::string::npos) << line;
  EXPECT_NE(line.find(" --steps 7000,512 "), std::string::npos) << line;
}

TEST_F(ViewsOfTheDemo, ARunThatNoViewWouldShowOpensOneAsPartOfTheAct) {
  Bench bench = session_->bench();
  const size_t views = bench.views.size();
  for (OpenView& view : bench.views) view.result.analysis = "logit-lens";
  const Analysis& lens = analyses().get("logit-lens");
  show_somewhere(bench, lens, true);
  EXPECT_EQ(bench.views.size(), views) << "a view shows it";
  const Analysis& compare = analyses().get("circuit-compare");
  show_somewhere(bench, compare, false);
  ASSERT_EQ(bench.views.size(), views + 1);
  EXPECT_EQ(bench.views.back().result, (ResultRef{"circuit-compare", ResultRef::Which::series, ""}));
  EXPECT_EQ(bench.active, bench.views.back().id);
  // A view of whatever was run last shows cells, and this makes none.
  bench.views.back().result = {"", ResultRef::Which::cell, ""};
  show_somewhere(bench, compare, false);
  EXPECT_EQ(bench.views.size(), views + 2);
  const std::vector<int64_t> placed = views_in(bench.tiles);
  EXPECT_EQ(placed.size(), views + 2);
}

TEST_F(ViewsOfTheDemo, ASeriesIsDrawnMinusItsStepA) {
  run();
  session_->go_to_step(512);
  session_->pin();
  OpenView series;
  series.view = "heat-map";
  series.result = {"logit-lens", ResultRef::Which::series, ""};
  series.options = {{"array", "cross_entropy"}, {"x", "step"}, {"y", "layer"}};
  const ViewContent plain = contents_.of(*session_, series);
  ASSERT_TRUE(plain.data) << plain.empty;
  series.against = OpenView::Against::difference;
  const ViewContent drawn = contents_.of(*session_, series);
  ASSERT_TRUE(drawn.data) << drawn.empty;
  const Array all = (*drawn.data)["cross_entropy"], before = (*plain.data)["cross_entropy"];
  const int64_t place = *drawn.selection.index("step");
  const Array at_a = all.at("step", place);
  for (int64_t i = 0; i < at_a.size(); ++i) EXPECT_EQ(at_a.number(i), 0);
  const Array last = all.at("step", all.extent("step") - 1),
              last_before = before.at("step", all.extent("step") - 1), a_before = before.at("step", place);
  for (int64_t i = 0; i < last.size(); ++i)
    EXPECT_EQ(last.number(i), last_before.number(i) - a_before.number(i));
  EXPECT_FALSE(drawn.data->has("cross_entropy_low")) << "an interval of each step is none of the difference";
}

TEST_F(ViewsOfTheDemo, BackAndForthWalkThePlacesThatWereSelected) {
  session_->select({{"layer", 1}});
  session_->select({{"layer", 2}});
  session_->select({{"layer", 3}});
  session_->go_back();
  EXPECT_EQ(session_->choice().selection.index("layer"), 2);
  session_->go_back();
  EXPECT_EQ(session_->choice().selection.index("layer"), 1);
  session_->go_forward();
  EXPECT_EQ(session_->choice().selection.index("layer"), 2);
  session_->select({{"layer", 0}});
  EXPECT_FALSE(session_->can_go_forward()) << "a new way begins here";
  session_->undo();
  EXPECT_EQ(session_->choice().selection.index("layer"), 2) << "a walk is an act like any other";
}

TEST_F(ViewsOfTheDemo, ASetGrowsAndShrinksAndIsKeptByName) {
  session_->toggle_in_set({{"layer", 1}, {"head", 2}});
  session_->toggle_in_set({{"layer", 3}, {"head", 0}});
  EXPECT_EQ(session_->choice().set.members.size(), 2U);
  EXPECT_EQ(session_->choice().set.axis, "head");
  session_->save_set("induction");
  session_->toggle_in_set({{"layer", 1}, {"head", 2}});
  EXPECT_EQ(session_->choice().set.members.size(), 1U);
  ASSERT_EQ(session_->choice().sets.size(), 1U);
  EXPECT_EQ(session_->choice().sets[0].members.size(), 2U) << "what was kept stays";
}

TEST_F(ViewsOfTheDemo, EveryActOnViewsIsUndone) {
  const Bench before = session_->bench();
  const int64_t first = before.views[0].id, second = before.views[1].id;
  session_->fill_with(first);
  session_->fill_with(first);
  session_->move_view(second, first, Edge::middle);
  session_->bring_forward(first);
  session_->close_view(second);
  OpenView view;
  view.view = "table";
  session_->open_view(view);
  session_->set_view_option(first, "colour", "entropy");
  session_->use_layout(ready_layout(2), "Circuits");
  int undone = 0;
  while (session_->undo()) ++undone;
  EXPECT_EQ(undone, 8);
  EXPECT_EQ(session_->bench(), before);
}

TEST_F(ViewsOfTheDemo, WhatWasChosenComesBackWithItsCellsAndNothingIsComputed) {
  run();
  session_->select({{"layer", 2}, {"pos", 1}}, 512);
  session_->pin();
  session_->close_view(session_->bench().views[2].id);
  const std::string text = json_of(session_->choice());
  const std::string key = session_->shown().key;
  session_.reset();

  Session again([] {}, folder_.path());
  open(again, choice_of(text));
  wait(again);
  EXPECT_EQ(json_of(again.choice()), text);
  EXPECT_EQ(again.typed().text, "The king said");
  ASSERT_TRUE(again.current_run());
  EXPECT_EQ(again.current_run()->cells.size(), 16U);
  EXPECT_EQ(again.current_run()->computed, 0);
  EXPECT_TRUE(again.current_run()->series) << "what is made of all cells is there, too";
  EXPECT_EQ(again.shown().key, key);
}

TEST_F(ViewsOfTheDemo, AChoiceOfAnotherSeriesIsMended) {
  Choice strange;
  strange.step = 123456789;
  strange.branch = "no-such-branch";
  strange.asked["no-such-analysis"] = {
      .text = "x", .settings = {}, .branch = "main", .compute = "", .steps = {}};
  session_->close();
  open(*session_, strange);
  EXPECT_EQ(session_->stop()->step, 7000);
  EXPECT_EQ(session_->choice().branch, session_->opened()->branch);
  EXPECT_EQ(session_->bench().views.size(), 3U);
}

}  // namespace
}  // namespace varve
