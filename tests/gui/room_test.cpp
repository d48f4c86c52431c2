// How the window shares its room, and what the maps below the table do.
#include <set>

#include "tests/gui/desk.h"

namespace varve {
namespace {

using Room = OnTheDemoDesk;

TEST_F(Room, ANarrowWindowFoldsTheInspectorToATab) {
  DesktopUnderTest desk("1100x800");
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("inspector").at("visible") == false && s.at("inspector").contains("tab");
  }));
  const double folded = desk.state()["view"]["canvas"][2];
  desk.click(desk.settled()["inspector"]["tab"]);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("inspector").at("visible") == true; }));
  EXPECT_TRUE(desk.shows([&](const auto& s) { return s.at("view").at("canvas")[2] < folded - 200; }));
  desk.key("i");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("inspector").at("visible") == false; }));
}

TEST_F(Room, AWideWindowShowsTheInspectorAndNoTab) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  EXPECT_TRUE(desk.shows([](const auto& s) {
    return s.at("inspector").at("visible") == true && !s.at("inspector").contains("tab");
  }));
}

TEST_F(Room, TheLastPositionHasNoFirstCorrectLayer) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const int last = static_cast<int>(desk.state()["prompt"]["ids"].size()) - 1;
  desk.click(desk.place(4, last));
  ASSERT_TRUE(desk.shows([&](const auto& s) { return s.at("selection").at("pos") == last; }));
  EXPECT_EQ(desk.state()["inspector"]["numbers"]["first correct layer"], "–");
}

TEST_F(Room, TheMapBelowTheTableFollowsPositionAndQuantityAndGoesToAStep) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("map").at("places").size() == 16 * 5 &&
           s.at("map").at("header").template get<std::string>().find("mean over") != std::string::npos;
  }));
  desk.click(desk.place(3, 1));
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("map").at("header").template get<std::string>().find("position 1") != std::string::npos;
  }));
  desk.click(desk.settled()["map"]["places"]["2000,1"]);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("step") == 2000 && s.at("selection").at("layer") == 1 && s.at("selection").at("pos") == 1;
  }));
  desk.key("ctrl+z");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("step") == 7000 && s.at("selection").at("layer") == 3;
  })) << "one click is one act";
}

TEST_F(Room, SpacePlaysToTheLastStepAndStops) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  desk.key("Home");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 0; }));
  desk.key("space");
  std::set<int64_t> seen;
  ASSERT_TRUE(desk.shows([&](const auto& s) {
    seen.insert(s.at("step").template get<int64_t>());
    return s.at("step") == 7000 && s.at("playing") == false;
  }));
  EXPECT_GE(seen.size(), 3U) << "play walks, it does not jump";
  desk.key("ctrl+z");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("step") == 0; })) << "a run of play is one act";

  desk.key("space");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("playing") == true && s.at("step") > 0; }));
  desk.key("space");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("playing") == false; })) << "Space also pauses";
}

// Printed for a reader; how busy the machine is decides nothing.
TEST_F(Room, ScrubbingArrivesAtBothEndsAndSaysHowFast) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  constexpr int rounds = 4;
  const int64_t painted = desk.state()["painted"];
  const auto began = std::chrono::steady_clock::now();
  for (int round = 0; round < rounds; ++round) {
    for (const auto& [end, step] : {std::pair("Left", 0), std::pair("Right", 7000)}) {
      std::vector<std::string> keys{"key", "--delay", "1"};
      keys.insert(keys.end(), 15, end);
      desk.xdotool(keys);
      ASSERT_TRUE(desk.shows([step = step](const auto& s) { return s.at("shown").at("step") == step; }));
    }
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const auto pictures = static_cast<double>(desk.state()["painted"].get<int64_t>() - painted);
  std::printf("scrub: %d steps in %.2f s, %.0f steps/s; %.0f pictures, %.0f a second\n", rounds * 30, seconds,
              rounds * 30 / seconds, pictures, pictures / seconds);
  RecordProperty("steps_per_second", std::to_string(rounds * 30 / seconds));
}

}  // namespace
}  // namespace varve
