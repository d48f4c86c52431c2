// A first walk through the window: open, scrub, select, export, undo.
#include <set>

#include "tests/gui/desk.h"

namespace varve {
namespace {

using Walk = OnTheDemoDesk;

TEST_F(Walk, OpensScrubsSelectsExportsAndUndoes) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const nlohmann::json opened = desk.state();
  EXPECT_EQ(opened["title"], "tiny-neox – Varve");
  EXPECT_EQ(opened["step"], 7000);
  EXPECT_EQ(opened["steps"].size(), 16U);
  EXPECT_EQ(opened["view"]["name"], "lens-table");
  EXPECT_EQ(opened["prompt"]["ids"].size(), opened["prompt"]["pieces"].size());

  desk.key("Left");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 5000; }));
  EXPECT_NE(desk.state()["shown"]["key"], opened["shown"]["key"]) << "the cell of the other step is drawn";

  desk.click(desk.place(3, 1));
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("selection").at("layer") == 3 && s.at("selection").at("pos") == 1 &&
           s.at("inspector").at("heading") == "Layer 3 · position 1";
  }));
  const nlohmann::json cell = desk.state()["inspector"];
  EXPECT_EQ(cell["top"].size(), 5U);
  EXPECT_EQ(cell["steps_over_training"].size(), 16U);

  desk.key("Left");
  ASSERT_TRUE(desk.shows([&](const auto& s) { return s.at("step") == 4000 && s.at("inspector") != cell; }));

  const std::string svg = desk.file("lens.svg");
  desk.key("e");
  desk.answer("Export picture", svg);
  ASSERT_TRUE(desk.until([&] { return std::filesystem::exists(svg); }));
  const std::string picture = content_of(svg);
  EXPECT_EQ(picture.rfind("<?xml", 0), 0U);
  EXPECT_NE(picture.find("</svg>"), std::string::npos);

  // "Copy as command line" makes the same picture, byte for byte.
  const std::string lines = desk.state()["command_line"];
  const std::string plot = lines.substr(lines.find("varve plot"));
  const Ended plotted =
      run_words({"/bin/sh", "-c",
                 "cd " + desk.file("") + " && PATH=" + std::string(VARVE_PROGRAMS) + ":$PATH && " + plot});
  EXPECT_EQ(plotted.exit_code, 0) << lines << plotted.err;
  EXPECT_TRUE(content_of(desk.file("lens-table-step4000.svg")) == picture) << lines;

  desk.take_focus("Varve");
  desk.key("ctrl+z");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 5000; }));
  desk.key("ctrl+z");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("selection").empty(); }));
  desk.key("ctrl+z");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 7000; }));
  desk.key("ctrl+shift+z");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 5000; }));
}

TEST_F(Walk, CellModeMovesTheCellAndAltLeavesTheArrowsToTheSteps) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  desk.click(desk.place(2, 1));
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("selection").at("layer") == 2; }));
  desk.key("Return");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("view").at("cell_mode") == true; }));
  desk.key("Up");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("selection").at("layer") == 3; }));
  desk.key("Left");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("selection").at("pos") == 0; }));
  EXPECT_EQ(desk.state()["step"], 7000);
  desk.key("Escape");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("view").at("cell_mode") == false; }));
  desk.key("Home");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 0; }));
}

TEST_F(Walk, TheWheelZoomsAndRFits) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const nlohmann::json box = desk.place(2, 1);
  desk.xdotool({"mousemove", std::to_string(box[0].get<int>() + 5), std::to_string(box[1].get<int>() + 5),
                "click", "4", "click", "4"});
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("view").at("zoom") > 1.1; }));
  desk.key("r");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("view").at("zoom") == 1.0; }));
}

TEST_F(Walk, TheThemeSwitchesEveryPartOfTheWindow) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  // Asked for anew each time: a job row that comes or goes moves the canvas's edge.
  const auto corner = [&desk] {
    const nlohmann::json canvas = desk.state()["view"]["canvas"];
    return desk.pixel(canvas[0].get<int>() + canvas[2].get<int>() - 3,
                      canvas[1].get<int>() + canvas[3].get<int>() - 3);
  };
  EXPECT_TRUE(desk.until([&] { return corner() == "ffffff"; })) << corner();
  EXPECT_TRUE(desk.until([&] { return desk.pixel(1438, 60) == "f4f6f8"; })) << desk.pixel(1438, 60);
  desk.key("ctrl+shift+t");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("theme") == "dark"; }));
  EXPECT_TRUE(desk.until([&] { return corner() == "121518"; })) << corner();
  EXPECT_TRUE(desk.until([&] { return desk.pixel(1438, 60) == "1a1e23"; })) << desk.pixel(1438, 60);
}

TEST_F(Walk, TheCellsAreColouredByWhatTheyHold) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  std::set<std::string> colours;
  for (int layer = 0; layer <= 4; ++layer)
    for (int pos = 0; pos < 3; ++pos) {
      const nlohmann::json box = desk.place(layer, pos);
      colours.insert(desk.pixel(box[0].get<int>() + 3, box[1].get<int>() + 3));
    }
  EXPECT_GE(colours.size(), 3U) << "one colour would be an empty table";
}

TEST_F(Walk, WhatCannotBeOpenedIsSaidOnTheStartPage) {
  DesktopUnderTest desk;
  desk.start({desk.file("no-such-series"), "--theme", "light"});
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("open") == false &&
           s.at("open_error").template get<std::string>().find("no-such-series") != std::string::npos;
  }));
}

TEST_F(Walk, ATypedPromptShowsItsTokensAndEnterRunsIt) {
  DesktopUnderTest desk;
  desk.start({demo_, "--theme", "light"});
  ASSERT_TRUE(
      desk.shows([](const auto& s) { return s.at("open") == true && s.at("view").at("empty") != ""; }));
  desk.take_focus("Varve");
  desk.xdotool({"type", "--delay", "5", "The cat"});
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("prompt").at("text") == "The cat" && s.at("prompt").at("ids").size() > 0;
  }));
  desk.key("Return");
  ASSERT_TRUE(desk.shows(
      [](const auto& s) { return s.at("run_complete") == true && s.at("shown").at("step") == 7000; }));
  desk.key("Left");
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 5000; })) << "after Run the arrows scrub";
}

}  // namespace
}  // namespace varve
