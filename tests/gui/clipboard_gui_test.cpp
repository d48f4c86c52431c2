// What is copied is on the clipboard: pasted into the prompt, the state tells it.
#include "tests/gui/desk.h"

namespace varve {
namespace {

class Clipboard : public OnTheDemoDesk {
 protected:
  // The prompt's field takes one line: what parted the lines is left out of the comparison.
  static std::string letters_of(std::string text) {
    std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || (c & 0x80) != 0; });
    return text;
  }
  static std::string pasted(DesktopUnderTest& desk) {
    desk.key("ctrl+p");
    EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("prompt_shown") == true; }));
    desk.key("ctrl+a");
    desk.key("BackSpace");
    EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("prompt").at("text") == ""; }));
    desk.key("ctrl+v");
    EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("prompt").at("text") != ""; }));
    return letters_of(desk.state()["prompt"]["text"]);
  }
};

TEST_F(Clipboard, HoldsTheNumbersOfTheMarkUnderThePointer) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  desk.click(desk.place(3, 1));
  ASSERT_TRUE(desk.shows(
      [](const auto& s) { return s.at("selection").at("layer") == 3 && s.at("views")[0].at("tip") != ""; }));
  const std::string tip = letters_of(desk.state()["views"][0]["tip"]);
  ASSERT_NE(tip.find("layer3"), std::string::npos) << tip;
  desk.key("ctrl+c");
  EXPECT_EQ(pasted(desk), tip);
}

TEST_F(Clipboard, HoldsTheCommandLineOfTheView) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const std::string line = letters_of(desk.state()["command_line"]);
  ASSERT_EQ(line.rfind("varverunlogit-lens", 0), 0U) << line;
  desk.key("ctrl+shift+c");
  EXPECT_EQ(pasted(desk), line);
}

}  // namespace
}  // namespace varve
