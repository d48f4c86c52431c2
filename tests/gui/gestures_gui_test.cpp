// What a hand does in a view beside clicking and panning: zooming into a box, brushing steps, hiding lines;
// and the keys and menu entries that belong to it.
#include "tests/gui/desk.h"

namespace varve {
namespace {

using Gestures = OnTheDemoDesk;

std::vector<std::string> at(const nlohmann::json& box, double x, double y) {
  return {"mousemove", std::to_string(static_cast<int>(box[0].get<double>() + box[2].get<double>() * x)),
          std::to_string(static_cast<int>(box[1].get<double>() + box[3].get<double>() * y))};
}

void drag(DesktopUnderTest& desk, const std::string& button, const std::vector<std::string>& from,
          const std::vector<std::string>& to) {
  std::vector<std::string> words = from;
  words.insert(words.end(), {"mousedown", button});
  words.insert(words.end(), to.begin(), to.end());
  words.insert(words.end(), {"mouseup", button});
  desk.xdotool(words);
}

TEST_F(Gestures, ARightDragZoomsIntoABoxAndADoubleClickFits) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const auto map = desk.settled([](const auto& s) { return s.contains("map"); })["map"]["canvas"];
  drag(desk, "3", at(map, 0.5, 0.3), at(map, 0.7, 0.6));
  const auto zoomed =
      desk.settled([](const auto& s) { return s.at("map").at("zoom").template get<double>() > 2; });
  EXPECT_NE(zoomed["map"]["zoom_y"], zoomed["map"]["zoom"]) << "as wide and as high as the box was";
  std::vector<std::string> words = at(map, 0.5, 0.5);
  words.insert(words.end(), {"click", "--repeat", "2", "--delay", "30", "1"});
  desk.xdotool(words);
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("map").at("zoom") == 1; }));
}

TEST_F(Gestures, AShiftDragBrushesStepsForAllViews) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const auto state = desk.settled([](const auto& s) { return s.contains("map"); });
  desk.xdotool({"keydown", "shift"});
  drag(desk, "1", at(state["map"]["places"]["512,2"], 0.5, 0.5),
       at(state["map"]["places"]["3000,2"], 0.5, 0.5));
  desk.xdotool({"keyup", "shift"});
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.contains("brush"); }));
  EXPECT_EQ(desk.state()["brush"], nlohmann::json({512, 3000}));
  EXPECT_EQ(desk.state()["step"], state["step"]) << "a brush goes nowhere";
  EXPECT_NE(desk.state()["status"].get<std::string>().find("brush 512 to 3k"), std::string::npos);
  desk.key("ctrl+z");
  EXPECT_TRUE(desk.shows([](const auto& s) { return !s.contains("brush"); }));
}

TEST_F(Gestures, GTakesTheGridAwayAndUndoBringsItBack) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const auto curves = desk.settled([](const auto& s) { return s.contains("curves"); })["curves"]["bar"];
  std::vector<std::string> words = at(curves, 0.05, 0.5);
  words.insert(words.end(), {"click", "1"});
  desk.xdotool(words);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("active") == s.at("curves").at("id"); }));
  desk.key("g");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("curves").at("options").at("grid") == "false"; }));
  desk.key("ctrl+z");
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("curves").at("options").at("grid") == "true"; }));
}

TEST_F(Gestures, AClickOnTheNameOfALineHidesItAndASecondShowsItAgain) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  // The map as lines: one a layer, named at its end.
  const auto map = desk.settled([](const auto& s) { return s.contains("map"); })["map"];
  std::vector<std::string> words = at(map["bar"], 0.05, 0.5);
  words.insert(words.end(), {"click", "1"});
  desk.xdotool(words);
  ASSERT_TRUE(desk.shows([&](const auto& s) { return s.at("active") == map["id"]; }));
  desk.key("ctrl+k");
  desk.take_focus("Varve", {"type", "--delay", "5", "lines curves along training"});
  desk.key("Return");
  const auto of = [&](const nlohmann::json& s) {
    for (const auto& view : s.at("views"))
      if (view.at("id") == map["id"]) return view;
    return nlohmann::json();
  };
  const auto as_lines = of(desk.settled(
      [&](const auto& s) { return of(s).at("name") == "lines" && of(s).at("line_names").size() > 1; }));
  const nlohmann::json name = as_lines["line_names"][0];
  desk.click(name["box"]);
  const auto hidden = of(desk.settled([&](const auto& s) { return of(s).at("options").at("hide") != ""; }));
  EXPECT_NE(hidden["header"].get<std::string>().find("1 hidden"), std::string::npos);
  nlohmann::json box;
  for (const auto& other : hidden["line_names"])
    if (other["text"] == name["text"]) box = other["box"];
  ASSERT_FALSE(box.is_null()) << hidden["line_names"];
  desk.click(box);
  EXPECT_TRUE(desk.shows([&](const auto& s) { return of(s).at("options").at("hide") == ""; }));
}

TEST_F(Gestures, MenusLeadToAuditPacksAndTheQueue) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const auto enter = [&desk](const std::string& words) {
    desk.key("ctrl+k");
    desk.take_focus("Varve", {"type", "--delay", "5", ">" + words});
    ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("palette").at("found").size() > 0; }));
    desk.key("Return");
  };
  enter("queue");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("focus").at("name") == "Jobs" ||
           s.at("notice").template get<std::string>().find("Nothing waits or runs") != std::string::npos;
  }));
  enter("repeat-random");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("prompt_shown") == true && s.at("prompt").at("ids").size() > 20 &&
           s.at("prompt").at("text").template get<std::string>().find("pack: repeat-random") == 0;
  }));
  enter("audit");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("above").dump().find("Audit") != std::string::npos && s.at("focus").at("name") == "Audit";
  }));
}

}  // namespace
}  // namespace varve
