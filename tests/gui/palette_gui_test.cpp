// The palette, keys that are changed, comparing and the rail, by keys and pointer.
#include <set>

#include "tests/gui/desk.h"

namespace varve {
namespace {

class ByKeys : public OnTheDemoDesk {
 protected:
  static void palette(DesktopUnderTest& desk, const std::string& typed, const std::string& first) {
    desk.key("ctrl+k");
    ASSERT_TRUE(desk.shows([](const auto& s) { return s.contains("palette"); }));
    desk.xdotool({"type", "--delay", "5", typed});
    ASSERT_TRUE(desk.shows([&](const auto& s) {
      return s.at("palette").at("typed") == typed &&
             s.at("palette").at("found").at(0).template get<std::string>().rfind(first, 0) == 0;
    })) << typed;
    desk.key("Return");
    ASSERT_TRUE(desk.shows([](const auto& s) { return !s.contains("palette"); }));
  }
};

TEST_F(ByKeys, ThePaletteGoesToStepsAndPlacesAndChangesSettings) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  palette(desk, "step 500", "step 512");
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 512; }));
  palette(desk, "L3", "layer 3");
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("selection").at("layer") == 3; }));
  palette(desk, "=entropy", "colour: entropy");
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("options").at("colour") == "entropy"; }));
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("map").at("options").at("array") == "entropy"; }))
      << "the map takes the table's quantity";
  palette(desk, ">light", "Light or dark");
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("theme") == "dark"; }));
  desk.key("ctrl+k");
  desk.xdotool({"type", "zzzz"});
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("palette").at("found").empty(); }));
  desk.key("Escape");
  EXPECT_TRUE(desk.shows([](const auto& s) { return !s.contains("palette"); }));
}

TEST_F(ByKeys, PinSwapAndDifference) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  desk.key("a");
  desk.key("Home");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("pin") == 7000 && s.at("step") == 0; }));
  desk.key("x");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("pin") == 0 && s.at("step") == 7000; }));
  desk.key("d");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("options").at("map") == "tide" &&
           s.at("view").at("header").template get<std::string>().find("now minus A") != std::string::npos;
  }));
  desk.key("d");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("options").at("map") == "strata"; }));
}

TEST_F(ByKeys, BackAndForthBetweenSelectedCells) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  desk.click(desk.place(3, 1));
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("selection").at("layer") == 3; }));
  desk.click(desk.place(1, 0));
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("selection").at("layer") == 1; }));
  desk.key("ctrl+bracketleft");
  ASSERT_TRUE(desk.shows(
      [](const auto& s) { return s.at("selection").at("layer") == 3 && s.at("selection").at("pos") == 1; }));
  desk.key("ctrl+bracketright");
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("selection").at("layer") == 1; }));
}

TEST_F(ByKeys, TheRailScrubsAndIsBrushed) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const nlohmann::json rail = desk.settled()["rail"];
  const auto at = [&rail](double x) {
    return std::vector<std::string>{
        std::to_string(static_cast<int>(rail[0].get<double>() + rail[2].get<double>() * x)),
        std::to_string(static_cast<int>(rail[1].get<double>() + rail[3].get<double>() * 0.4))};
  };
  const auto left = at(0.3), right = at(0.6);
  desk.xdotool(
      {"mousemove", left[0], left[1], "mousedown", "1", "mousemove", right[0], right[1], "mouseup", "1"});
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") > 0 && s.at("step") < 7000; }));
  desk.key("ctrl+z");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 7000; })) << "one drag is one act";
  desk.xdotool({"keydown", "shift", "mousemove", left[0], left[1], "mousedown", "1", "mousemove", right[0],
                right[1], "mouseup", "1", "keyup", "shift"});
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("brush")[0].template get<int64_t>() < s.at("brush")[1].template get<int64_t>() &&
           s.at("step") == 7000;
  }));
}

TEST_F(ByKeys, EveryPartIsReachedByF6AndSaysWhatItIs) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views").size() == 3 && s.contains("map"); }));
  desk.click(desk.place(2, 1));
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("focus").at("said").template get<std::string>() != "";
  })) << "a cell is said in words";
  std::set<std::string> reached;
  for (int i = 0; i < 12; ++i) {
    const std::string here = desk.state()["focus"]["name"];
    reached.insert(here);
    desk.key("F6");
    ASSERT_TRUE(desk.shows([&](const auto& s) { return s.at("focus").at("name") != here; })) << here;
  }
  for (const char* part : {"Checkpoints by step", "Inspector", "Logit lens"})
    EXPECT_TRUE(reached.contains(part)) << part;
  for (const std::string& name : reached) EXPECT_NE(name, "") << "a part without a name";
}

}  // namespace
}  // namespace varve
