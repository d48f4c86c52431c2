// A session from beginning to end: open, scrub, select, run, stop, run again, export, undo, close, and all of
// it back; the same after a kill.
#include "tests/gui/desk.h"

namespace varve {
namespace {

class WholeSession : public OnTheDemoDesk {
 protected:
  // Every view has the selection on the axes that it has.
  static bool all_follow(const nlohmann::json& s, const std::string& axis, int64_t index, size_t how_many) {
    size_t follow = 0;
    for (const auto& view : s.at("views"))
      if (view.at("selection").contains(axis)) {
        if (view.at("selection").at(axis) != index) return false;
        ++follow;
      }
    return follow >= how_many;
  }
};

TEST_F(WholeSession, OneCellIsFollowedByThreeOtherViewsAndEverythingComesBack) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  // A fourth view, through the palette.
  desk.key("ctrl+k");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.contains("palette"); }));
  desk.xdotool({"type", "--delay", "5", "token strip"});
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("palette").at("found").at(0).template get<std::string>().rfind("Token strip", 0) == 0;
  }));
  desk.key("ctrl+Return");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views").size() == 4; }));
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views")[3].at("name") == "token-strip"; }));

  desk.key("Left");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 5000; }));
  desk.click(desk.place(3, 1));
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("inspector").at("heading") == "Layer 3 · position 1" && all_follow(s, "layer", 3, 4);
  })) << "the table, the map, the curves and the strip";
  EXPECT_TRUE(desk.shows([](const auto& s) {
    return s.at("map").at("header").template get<std::string>().find("position 1") != std::string::npos;
  })) << "the map has read that position at every step";

  // A run that takes a while, stopped, then run again to its end.
  desk.key("ctrl+p");
  desk.key("ctrl+a");
  desk.xdotool({"type", "--delay", "5", "pack: repeat-random:prompts=60,period=30"});
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("prompt").at("ids").size() == 1 + 2 * 30; }));
  desk.key("Return");
  const auto newest = [](const nlohmann::json& s) { return s.at("jobs").back(); };
  ASSERT_TRUE(desk.shows([&](const auto& s) { return newest(s).at("finished") == false; }));
  desk.key("ctrl+period");
  ASSERT_TRUE(desk.shows([&](const auto& s) { return newest(s).at("finished") == true; }));
  EXPECT_EQ(newest(desk.state())["stopped"], true) << newest(desk.state());
  EXPECT_EQ(desk.state()["run_complete"], false);
  desk.key("ctrl+p");
  desk.key("Return");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("run_complete") == true && s.at("cells") == 16; }));

  // Undo goes back over the run to the prompt before; its cells are still there.
  desk.key("ctrl+z");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("prompt").at("text") == "The king said" &&
           s.at("view").at("places").size() == 5 * s.at("prompt").at("ids").size();
  }));
  desk.click(desk.place(2, 1));
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("selection").at("layer") == 2 && s.at("view").at("id") == s.at("active");
  }));

  const std::string svg = desk.file("lens.svg");
  desk.key("e");
  desk.answer("Export picture", svg);
  ASSERT_TRUE(desk.until([&] { return std::filesystem::exists(svg); }));
  EXPECT_NE(content_of(svg).find("</svg>"), std::string::npos);

  const nlohmann::json before = desk.state();
  desk.quit();
  desk.start({});
  ASSERT_TRUE(desk.shows([&](const auto& s) {
    return s.at("open") == true && s.at("cells") == 16 && s.at("views").size() == 4 &&
           s.at("view").at("places").size() > 0;
  }));
  const nlohmann::json after = desk.state();
  for (const char* part : {"step", "selection", "store", "shown", "options", "active", "branch"})
    EXPECT_EQ(after[part], before[part]) << part;
  EXPECT_EQ(after["prompt"]["text"], "The king said");
  for (size_t i = 0; i < 4; ++i) {
    for (const char* part : {"name", "title", "options", "selection"})
      EXPECT_EQ(after["views"][i][part], before["views"][i][part]) << i << part;
    // Left edge and width; jobs that were are not kept, so that the views are a little taller.
    for (const int side : {0, 2})
      EXPECT_EQ(after["views"][i]["tile"][side], before["views"][i]["tile"][side]) << i << side;
  }
}

TEST_F(WholeSession, AKillLosesNothingThatWasDone) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  desk.key("Left");
  desk.key("a");
  desk.key("Left");
  desk.click(desk.place(2, 1));
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("pin") == 5000 && s.at("step") == 4000 && s.at("selection").at("layer") == 2;
  }));
  // The file is written beside the window; what is waited for is the last act.
  ASSERT_TRUE(desk.until([&] {
    const auto json = nlohmann::json::parse(content_of(desk.file("session.json")), nullptr, false);
    if (!json.is_object() || json["choices"].empty()) return false;
    const auto& choice = *json["choices"].begin();
    return choice.value("step", 0) == 4000 && choice["selection"].value("layer", -1) == 2 &&
           choice.value("pin", 0) == 5000;
  }));
  desk.kill();
  desk.start({});
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("step") == 4000 && s.at("pin") == 5000 && s.at("selection").at("layer") == 2 &&
           s.at("cells") == 16 && s.at("undo") == "";
  }));
}

TEST_F(WholeSession, TwoSeriesAreOpenBesideEachOther) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const std::string other = desk.file("other.varve");
  ASSERT_EQ(run_words({std::string(VARVE_PROGRAMS) + "/varve", "import", demo_, "-o", other}).exit_code, 0);
  desk.key("Left");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 5000; }));
  desk.key("ctrl+i");
  desk.answer("Import which folder", demo_);
  desk.take_focus("Import as store");
  desk.key("ctrl+a");
  desk.xdotool({"type", "--delay", "5", other});
  desk.key("Return");
  ASSERT_TRUE(desk.shows([&](const auto& s) {
    return s.at("sessions") == 2 && s.at("store") == other && s.at("step") == 7000;
  }));
  desk.take_focus("Varve");
  desk.key("ctrl+Tab");
  ASSERT_TRUE(desk.shows([&](const auto& s) { return s.at("step") == 5000 && s.at("cells") == 16; }))
      << "the first one is as it was left";
}

}  // namespace
}  // namespace varve
