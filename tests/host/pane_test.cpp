// Pointer, wheel and keys on a view, without a window.
#include "viz/host/pane.h"

#include <gtest/gtest.h>

#include "analysis/core/error.h"

namespace varve {
namespace {

// Ten by ten marks of 20 px that follow zoom and pan; enough of a view to point at.
View grid_view() {
  View view;
  view.name = "grid";
  view.draw = [](const Dataset&, const SettingValues&, const Selection&, const Look& look, Canvas& canvas) {
    const double side = 20 * look.zoom, left = look.pan.x, top = look.pan.y;
    canvas.fill({left, top, side, side}, look.theme->accent);
    const auto box = [=](int64_t row, int64_t column) {
      return Box{left + static_cast<double>(column) * side, top + static_cast<double>(row) * side, side,
                 side};
    };
    Drawn drawn;
    drawn.hit = [=](Point p) -> std::optional<Hit> {
      for (int64_t row = 0; row < 10; ++row)
        for (int64_t column = 0; column < 10; ++column)
          if (box(row, column).holds(p)) {
            Hit hit;
            hit.mark = box(row, column);
            hit.at = {{"layer", row}, {"pos", column}};
            hit.number = MarkNumber{"share", static_cast<double>(row * 10 + column)};
            hit.along = MarkNumber{"pos", static_cast<double>(column)};
            hit.tip = {{.name = "cell", .value = std::to_string(row * 10 + column), .bar = -1}};
            return hit;
          }
      return std::nullopt;
    };
    drawn.where = [=](const Selection& selection) -> std::optional<Box> {
      if (!selection.index("layer") || !selection.index("pos")) return std::nullopt;
      return box(*selection.index("layer"), *selection.index("pos"));
    };
    return drawn;
  };
  return view;
}

class OnAGrid : public testing::Test {
 protected:
  OnAGrid() : canvas_(make_picture(PictureKind::png, 200, 200, 1, Theme::light().canvas)) {
    content_.view = &view_;
    content_.data = std::make_shared<const Dataset>();
    content_.theme = &Theme::light();
  }
  std::optional<std::map<std::string, int64_t>> send(InputEvent::Kind kind, Point at, double wheel = 0) {
    queue_.push_back({.kind = kind, .at = at, .wheel = wheel, .with_control = false, .with_shift = false});
    std::optional<std::map<std::string, int64_t>> answer;
    while (!queue_.empty()) {
      input_ = take_events(queue_, input_);
      if (auto clicked = pane_.draw(*canvas_, input_, content_)) answer = clicked;
    }
    return answer;
  }
  std::optional<std::map<std::string, int64_t>> push_held(InputEvent::Kind kind, Point at, bool right,
                                                          bool control) {
    queue_.push_back({.kind = kind, .at = at, .with_control = control, .is_right = right});
    return draw_next();
  }
  std::optional<std::map<std::string, int64_t>> draw_next() {
    input_ = take_events(queue_, input_);
    return pane_.draw(*canvas_, input_, content_);
  }
  View view_ = grid_view();
  PaneContent content_;
  std::unique_ptr<PictureCanvas> canvas_;
  std::deque<InputEvent> queue_;
  Input input_;
  Pane pane_;
};

using Kind = InputEvent::Kind;

TEST_F(OnAGrid, AViewThatCannotDrawDoesNotEndTheWindowAndGoesOnAfterwards) {
  const auto sound = view_.draw;
  view_.draw = [](const Dataset&, const SettingValues&, const Selection&, const Look&, Canvas&) -> Drawn {
    fail_usage("heat-map: x and y are both 'step'");
  };
  send(InputEvent::Kind::move, {50, 50});
  EXPECT_FALSE(pane_.hovered());
  view_.draw = sound;
  send(InputEvent::Kind::move, {51, 50});
  EXPECT_TRUE(pane_.hovered());
}

TEST_F(OnAGrid, AClickAnswersWithTheAxesOfTheMark) {
  send(Kind::press, {45, 65});
  const auto clicked = send(Kind::release, {45, 65});
  ASSERT_TRUE(clicked);
  EXPECT_EQ(*clicked, (std::map<std::string, int64_t>{{"layer", 3}, {"pos", 2}}));
}

TEST_F(OnAGrid, APressAndReleaseBetweenTwoFramesIsStillAClick) {
  queue_.push_back(
      {.kind = Kind::press, .at = {45, 65}, .wheel = 0, .with_control = false, .with_shift = false});
  EXPECT_TRUE(send(Kind::release, {45, 65}));
}

TEST_F(OnAGrid, HoverGivesATipAndChangesNothing) {
  EXPECT_FALSE(send(Kind::move, {5, 5}));
  ASSERT_TRUE(pane_.hovered());
  EXPECT_EQ(pane_.tip_text(), "cell\t0\n");
  send(Kind::leave, {});
  EXPECT_FALSE(pane_.hovered());
}

TEST_F(OnAGrid, TheMarksOfASetAreFramedWhereTheDataHasTheirAxes) {
  auto data = std::make_shared<Dataset>();
  data->set("share", Array({"layer", "pos"}, {10, 10}, std::vector<double>(100)));
  content_.data = data;
  const auto frames = [this](const char* axis) {
    const auto picture = make_picture(PictureKind::svg, 200, 200, 1, Theme::light().canvas);
    content_.set = {{{"layer", 1}, {axis, 2}}, {{"layer", 3}, {axis, 4}}};
    pane_.draw(*picture, {}, content_);
    return picture->finish().size();
  };
  EXPECT_GT(frames("pos"), frames("head")) << "heads have no place on this map";
}

TEST_F(OnAGrid, EveryMarkIsMeasuredAgainstTheOneThatWasTaken) {
  send(Kind::move, {45, 25});  // row 1, column 2
  ASSERT_TRUE(pane_.measure({}));
  send(Kind::move, {85, 65});  // row 3, column 4
  EXPECT_EQ(pane_.tip_text(),
            "cell\nmeasured from\tcell\nshare\t12 → 34\ndifference\t+22\nratio\t× 2.83\npos\t+2\n"
            "difference per pos\t+11\n");
  // The mark is found again where zoom has put it.
  send(Kind::wheel, {85, 65}, 2);
  EXPECT_NE(pane_.tip_text().find("12 → 34"), std::string::npos);
  ASSERT_TRUE(pane_.measure({}));
  EXPECT_FALSE(pane_.measures());
  EXPECT_EQ(pane_.tip_text().find("12 → 34"), std::string::npos);
}

TEST_F(OnAGrid, MeasuringBeginsAtTheSelectedMarkWhereThePointerIsElsewhere) {
  send(Kind::leave, {});
  EXPECT_FALSE(pane_.measure({})) << "nothing is selected";
  ASSERT_TRUE(pane_.measure({.at = {{"layer", 2}, {"pos", 0}}}));
  send(Kind::move, {5, 5});
  EXPECT_NE(pane_.tip_text().find("20 → 0"), std::string::npos) << pane_.tip_text();
  EXPECT_NE(pane_.tip_text().find("difference\t−20"), std::string::npos) << pane_.tip_text();
  EXPECT_EQ(pane_.tip_text().find("ratio"), std::string::npos) << "none to nought";
}

TEST_F(OnAGrid, TheWheelKeepsWhatIsUnderThePointerThere) {
  send(Kind::move, {110, 90});
  const auto before = pane_.hovered()->at;
  send(Kind::wheel, {110, 90}, 3);
  EXPECT_GT(pane_.zoom(), 1.5);
  EXPECT_EQ(pane_.hovered()->at, before);
}

TEST_F(OnAGrid, WhereDragsZoomTheLeftButtonDoesAndControlMoves) {
  content_.drag_zooms = true;
  send(Kind::press, {40, 40});
  send(Kind::move, {120, 120});
  send(Kind::release, {120, 120});
  EXPECT_GT(pane_.zoom(), 2);
  pane_.fit();
  push_held(Kind::press, {90, 90}, false, true);
  push_held(Kind::move, {60, 60}, false, true);
  push_held(Kind::release, {60, 60}, false, true);
  EXPECT_EQ(pane_.zoom(), 1) << "moved, as far as there is anything";
  EXPECT_LT(pane_.pan().x, 0);
}

TEST_F(OnAGrid, ADragPansAndIsNoClick) {
  send(Kind::wheel, {100, 100}, 4);
  const Point before = pane_.pan();
  send(Kind::press, {100, 100});
  send(Kind::move, {90, 80});
  EXPECT_FALSE(send(Kind::release, {90, 80}));
  EXPECT_NEAR(pane_.pan().x, before.x - 10, 1e-9);
  EXPECT_NEAR(pane_.pan().y, before.y - 20, 1e-9);
}

TEST_F(OnAGrid, ABoxDrawnWithCtrlOrTheRightButtonComesToFillThePlot) {
  for (const bool right : {false, true}) {
    pane_.fit();
    push_held(Kind::press, {50, 100}, right, !right);
    push_held(Kind::move, {80, 130}, right, !right);
    const auto clicked = push_held(Kind::release, {90, 120}, right, !right);
    EXPECT_FALSE(clicked) << "a drag is no click";
    EXPECT_NEAR(pane_.zoom(), 200.0 / 40, 1e-9);
    EXPECT_NEAR(pane_.zoom_y(), 200.0 / 20, 1e-9);
    // Content under the box's upper left corner now lies in the corner of the plot.
    EXPECT_NEAR(50 * pane_.zoom() + pane_.pan().x, 0, 1e-9);
    EXPECT_NEAR(100 * pane_.zoom_y() + pane_.pan().y, 0, 1e-9);
  }
}

TEST_F(OnAGrid, AFlatBoxZoomsAlongXOnlyAndACancelledOneNotAtAll) {
  push_held(Kind::press, {50, 100}, true, false);
  push_held(Kind::release, {100, 104}, true, false);
  EXPECT_NEAR(pane_.zoom(), 4, 1e-9);
  EXPECT_EQ(pane_.zoom_y(), 1);
  pane_.fit();
  push_held(Kind::press, {50, 100}, true, false);
  push_held(Kind::move, {100, 160}, true, false);
  pane_.cancel();
  push_held(Kind::release, {100, 160}, true, false);
  EXPECT_EQ(pane_.zoom(), 1);
}

TEST_F(OnAGrid, TheWheelWithAltZoomsAlongXAndWithShiftAlongY) {
  queue_.push_back({.kind = Kind::wheel, .at = {100, 100}, .wheel = 2, .with_alt = true});
  draw_next();
  EXPECT_GT(pane_.zoom(), 1.4);
  EXPECT_EQ(pane_.zoom_y(), 1);
  pane_.fit();
  queue_.push_back({.kind = Kind::wheel, .at = {100, 100}, .wheel = 2, .with_shift = true});
  draw_next();
  EXPECT_EQ(pane_.zoom(), 1);
  EXPECT_GT(pane_.zoom_y(), 1.4);
}

TEST_F(OnAGrid, AClickOnANameAsksForItsOptionsOnceAndTheRightButtonDoesNot) {
  const auto with_grid = view_.draw;
  view_.draw = [with_grid](const Dataset& data, const SettingValues& options, const Selection& selection,
                           const Look& look, Canvas& canvas) {
    Drawn drawn = with_grid(data, options, selection, look, canvas);
    drawn.hit = [](Point) {
      return Hit{.mark = {0, 0, 9, 9},
                 .at = {},
                 .sets = {{"hide", "3"}},
                 .tip = {},
                 .spoken = "",
                 .number = {},
                 .along = {}};
    };
    return drawn;
  };
  send(Kind::press, {5, 5});
  EXPECT_TRUE(pane_.wish().options.empty());
  send(Kind::release, {5, 5});
  EXPECT_EQ(pane_.wish().options, (SettingValues{{"hide", "3"}}));
  send(Kind::move, {6, 6});
  EXPECT_TRUE(pane_.wish().options.empty()) << "asked for once";
  push_held(Kind::press, {5, 5}, true, false);
  push_held(Kind::release, {5, 5}, true, false);
  EXPECT_TRUE(pane_.wish().options.empty());
}

TEST_F(OnAGrid, ADoubleClickFitsAgain) {
  send(Kind::wheel, {100, 100}, 4);
  send(Kind::double_click, {50, 50});
  EXPECT_EQ(pane_.zoom(), 1);
  EXPECT_EQ(pane_.pan().x, 0);
}

TEST_F(OnAGrid, ArrowsInCellModeGoToTheNextMarkAndStopAtTheEdge) {
  send(Kind::move, {5, 5});
  const auto right = pane_.neighbour({.at = {{"layer", 4}, {"pos", 4}}}, Direction::right);
  ASSERT_TRUE(right);
  EXPECT_EQ(right->at("pos"), 5);
  const auto up = pane_.neighbour({.at = {{"layer", 4}, {"pos", 4}}}, Direction::up);
  ASSERT_TRUE(up);
  EXPECT_EQ(up->at("layer"), 3);
  EXPECT_FALSE(pane_.neighbour({.at = {{"layer", 0}, {"pos", 9}}}, Direction::right));
}

TEST(TakenEvents, ShowAFrameOneChangeOfTheButton) {
  std::deque<InputEvent> queue;
  for (const Kind kind : {Kind::press, Kind::release, Kind::press})
    queue.push_back({.kind = kind, .at = {1, 1}, .wheel = 0, .with_control = false, .with_shift = false});
  Input input = take_events(queue, {});
  EXPECT_TRUE(input.pressed && input.held);
  input = take_events(queue, input);
  EXPECT_TRUE(input.released && !input.held);
  input = take_events(queue, input);
  EXPECT_TRUE(input.pressed);
  EXPECT_TRUE(queue.empty());
}

TEST(TakenEvents, AddUpTheWheel) {
  std::deque<InputEvent> queue;
  for (int i = 0; i < 3; ++i)
    queue.push_back(
        {.kind = Kind::wheel, .at = {1, 1}, .wheel = 1, .with_control = false, .with_shift = false});
  EXPECT_EQ(take_events(queue, {}).wheel, 3);
}

}  // namespace
}  // namespace varve
