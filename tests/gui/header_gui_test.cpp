// The header of a view: what it has room for, that a click on a view takes the keyboard, and the overlay of
// frame times.
#include "tests/gui/desk.h"

namespace varve {
namespace {

using ViewHeaders = OnTheDemoDesk;

// Parts lie side by side within the bar, and the title is cut only where nothing else is left to give way.
void expect_room(const nlohmann::json& state) {
  for (const auto& view : state.at("views")) {
    if (view.at("seen") == false) continue;
    const auto& bar = view.at("bar");
    double free_from = bar[0];
    for (const auto& part : view.at("bar_parts")) {
      EXPECT_GE(part[0].get<double>(), free_from) << view.at("title") << view.at("bar_parts");
      free_from = part[0].get<double>() + part[2].get<double>();
    }
    EXPECT_LE(free_from, bar[0].get<double>() + bar[2].get<double>()) << view.at("title");
    if (view.at("title_shown") != view.at("title")) {
      EXPECT_EQ(view.at("words_shown"), "") << view.at("title");
    }
  }
}

TEST_F(ViewHeaders, TitlesHaveTheRoomThatBadgeAndButtonsLeave) {
  DesktopUnderTest desk("1024x640");
  open_with_lens(desk);
  nlohmann::json state = desk.settled([](const auto& s) { return s.at("views").size() == 3; });
  expect_room(state);
  EXPECT_EQ(state["views"][0]["title_shown"], state["views"][0]["title"]);
  EXPECT_NE(state["views"][0]["words_shown"], "");
  // Three views side by side, the narrowest there are.
  desk.key("a");
  desk.key("5");
  state = desk.settled([](const auto& s) { return s.at("undo") != "pin A" && s.at("views").size() == 3; });
  expect_room(state);
}

TEST_F(ViewHeaders, AClickOnAViewTakesTheKeyboardFromThePrompt) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const auto ask = [&desk] {
    desk.key("ctrl+p");
    return desk.settled(
        [](const auto& s) { return s.at("prompt_shown") == true && s.at("focus").at("name") == "Prompt"; });
  };
  const auto press_at = [&desk](const nlohmann::json& box, double x, double y) {
    desk.xdotool(
        {"mousemove", std::to_string(static_cast<int>(box[0].get<double>() + box[2].get<double>() * x)),
         std::to_string(static_cast<int>(box[1].get<double>() + box[3].get<double>() * y)), "click", "1"});
  };
  press_at(ask()["views"][1]["bar"], 0.05, 0.5);  // its title
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("prompt_shown") == false; }));
  desk.key("2");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("views")[0].at("empty") != "" && s.at("prompt").at("text") == "The king said";
  })) << "2 is the key of a layout, and was not typed";
  press_at(ask()["views"][0]["tile"], 0.1, 0.9);  // beside the words of an empty view
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("prompt_shown") == false; }));
  desk.key("1");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("views")[0].at("empty") == "" && s.at("prompt").at("text") == "The king said";
  }));
  press_at(ask()["views"][1]["canvas"], 0.5, 0.5);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("prompt_shown") == false; }));
  desk.key("2");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("views")[0].at("empty") != "" && s.at("prompt").at("text") == "The king said";
  }));
}

TEST_F(ViewHeaders, AHiddenOverlayTellsHowLongFramesTake) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const nlohmann::json before = desk.settled();
  EXPECT_FALSE(before["views"][0].contains("frame_millis"));
  desk.key("ctrl+shift+f");
  const nlohmann::json with =
      desk.settled([](const auto& s) { return s.at("views")[0].value("frame_millis", 0.0) > 0; });
  // The card in the lower left corner, left of its words.
  const auto& canvas = with["views"][0]["canvas"];
  const int x = canvas[0].get<int>() + 9, y = canvas[1].get<int>() + canvas[3].get<int>() - 15;
  EXPECT_TRUE(desk.until([&] { return desk.pixel(x, y) == "18202a"; })) << desk.pixel(x, y);
  EXPECT_EQ(with["undo"], before["undo"]) << "nothing that one would undo";
  desk.key("ctrl+shift+f");
  ASSERT_TRUE(desk.shows([](const auto& s) { return !s.at("views")[0].contains("frame_millis"); }));
  EXPECT_TRUE(desk.until([&] { return desk.pixel(x, y) != "18202a"; }));
  desk.key("ctrl+k");
  desk.take_focus("Varve", {"type", "--delay", "5", "frame times"});
  EXPECT_TRUE(desk.shows([](const auto& s) {
    return s.at("palette").at("found")[0].template get<std::string>().find("Frame times") !=
           std::string::npos;
  }));
}

}  // namespace
}  // namespace varve
