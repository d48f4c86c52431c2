// A session that is killed comes back, and two series stay as they were left.
#include "tests/gui/desk.h"

namespace varve {
namespace {

class WholeSession : public OnTheDemoDesk {};

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
