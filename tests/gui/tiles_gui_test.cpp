// Views as tiles, moved by hand: split, tabbed, filled, closed, and all of it undone.
#include "tests/gui/desk.h"

namespace varve {
namespace {

class TilesByHand : public OnTheDemoDesk {
 protected:
  static nlohmann::json box(const nlohmann::json& state, size_t view, const char* part) {
    return state.at("views").at(view).at(part);
  }
  // From the middle of one box's left part (its title) to a place within another, both as fractions.
  static void drag(DesktopUnderTest& desk, const nlohmann::json& from, const nlohmann::json& to, double x,
                   double y) {
    const auto at = [](const nlohmann::json& part, double dx, double dy) {
      return std::vector<std::string>{
          std::to_string(static_cast<int>(part[0].get<double>() + part[2].get<double>() * dx)),
          std::to_string(static_cast<int>(part[1].get<double>() + part[3].get<double>() * dy))};
    };
    const auto start = at(from, 0.05, 0.5), middle = at(to, 0.5, 0.5), end = at(to, x, y);
    desk.xdotool({"mousemove", start[0], start[1], "mousedown", "1", "mousemove", middle[0], middle[1],
                  "mousemove", end[0], end[1], "mouseup", "1"});
  }
};

TEST_F(TilesByHand, AViewDroppedOnAnothersMiddleBecomesATabAndOnItsEdgeASplit) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views").size() == 3 && s.contains("map"); }));
  const nlohmann::json before = desk.settled();
  drag(desk, box(before, 2, "bar"), box(before, 1, "tile"), 0.5, 0.5);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("tabs").size() == 1 && s.at("views")[2].at("seen") == true &&
           s.at("views")[1].at("seen") == false;
  }));
  EXPECT_EQ(desk.state()["undo"], "move a view");
  // The first tab is the map.
  const nlohmann::json tabs = desk.settled()["tabs"][0];
  desk.click({tabs[0], tabs[1], 60, tabs[3]});
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("views")[1].at("seen") == true && s.at("views")[2].at("seen") == false;
  }));
  desk.key("ctrl+z");
  desk.key("ctrl+z");
  ASSERT_TRUE(desk.shows([&](const auto& s) {
    return !s.contains("tabs") && s.at("views")[2].at("tile") == before["views"][2]["tile"];
  })) << "undo puts every tile back where it was";

  drag(desk, box(before, 2, "bar"), box(before, 0, "tile"), 0.95, 0.5);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("views")[2].at("tile")[0].template get<double>() >
               s.at("views")[0].at("tile")[0].template get<double>() + 100 &&
           s.at("views")[2].at("tile")[1] == s.at("views")[0].at("tile")[1];
  })) << "beside the table, at its right";
}

TEST_F(TilesByHand, TheMenuOfAViewThatIsNotTheActiveOneIsItsOwn) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views").size() == 3 && s.contains("map"); }));
  const nlohmann::json before = desk.settled(), bar = before["views"][2]["bar"];
  ASSERT_NE(before["active"], before["views"][2]["id"]);
  desk.xdotool({"mousemove", std::to_string(bar[0].get<int>() + 20), std::to_string(bar[1].get<int>() + 12),
                "click", "3"});
  ASSERT_TRUE(desk.shows(
      [&](const auto& s) { return s.contains("above") && s.at("active") == before["views"][2]["id"]; }));
  desk.xdotool({"key", "Up", "Return"});  // its last entry closes the view
  EXPECT_TRUE(desk.shows([&](const auto& s) {
    return s.at("views").size() == 2 && s.at("views")[0].at("id") == before["views"][0]["id"] &&
           s.at("views")[1].at("id") == before["views"][1]["id"];
  }));
}

TEST_F(TilesByHand, ADoubleClickOnAHeaderFillsTheMiddleAndRestores) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views").size() == 3 && s.contains("map"); }));
  const nlohmann::json bar = desk.settled()["views"][1]["bar"];
  const auto double_click = [&](const nlohmann::json& at) {
    desk.xdotool({"mousemove", std::to_string(at[0].get<int>() + 20), std::to_string(at[1].get<int>() + 12),
                  "click", "--repeat", "2", "--delay", "30", "1"});
  };
  double_click(bar);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("views")[1].at("seen") == true && s.at("views")[0].at("seen") == false &&
           s.at("views")[2].at("seen") == false;
  }));
  double_click(desk.settled()["views"][1]["bar"]);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("views")[0].at("seen") == true && s.at("views")[2].at("seen") == true;
  }));
}

TEST_F(TilesByHand, LayoutsComeByTheirKeysAndCompareShowsTheActiveViewThrice) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views").size() == 3; }));
  desk.key("a");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("pin") == 7000; }));
  desk.key("Home");
  desk.key("5");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const auto& views = s.at("views");
    return views.size() == 3 && s.at("step") == 0 && views[0].at("name") == "lens-table" &&
           views[0].at("header").template get<std::string>().find("A, step 7k") != std::string::npos &&
           views[2].at("header").template get<std::string>().find("now minus A") != std::string::npos;
  }));
  desk.key("ctrl+6");
  desk.key("1");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.contains("map"); }));
  desk.key("6");
  ASSERT_TRUE(desk.shows([](const auto& s) { return !s.contains("map") && s.at("views").size() == 3; }))
      << "the saved layout is back";
  desk.key("2");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("views")[0].at("empty").template get<std::string>().find("head-detectors") !=
           std::string::npos;
  })) << "a layout that asks for what is not there says so";
}

TEST_F(TilesByHand, AViewIsClosedAndComesBackByUndo) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views").size() == 3; }));
  desk.key("ctrl+shift+w");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views").size() == 2; }));
  desk.key("ctrl+z");
  ASSERT_TRUE(desk.shows(
      [](const auto& s) { return s.at("views").size() == 3 && s.at("view").at("name") == "lens-table"; }));
}

}  // namespace
}  // namespace varve
