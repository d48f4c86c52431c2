// The controls above a view: where they lie, and that they do what they say.
#include "tests/gui/desk.h"

namespace varve {
namespace {

using ViewControls = OnTheDemoDesk;

TEST_F(ViewControls, LieWithinTheirViewAndOnlyTheActiveOneHasThem) {
  DesktopUnderTest desk("1024x640");
  open_with_lens(desk);
  const nlohmann::json s = desk.settled();
  for (const auto& view : s["views"]) {
    EXPECT_EQ(view.contains("controls"), view["id"] == s["active"]);
    const auto& tile = view["tile"];
    const nlohmann::json controls = view.value("controls", nlohmann::json::object());
    for (const auto& [name, box] : controls.items()) {
      EXPECT_GE(box[0].get<double>(), tile[0].get<double>()) << name;
      EXPECT_LE(box[0].get<double>() + box[2].get<double>(), tile[0].get<double>() + tile[2].get<double>())
          << name;
      EXPECT_GE(box[2].get<double>(), 14) << name << " is squeezed";
    }
  }
}

TEST_F(ViewControls, AChoiceChangesTheOptionItNamesAndUndoBringsItBack) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const auto active = [](const nlohmann::json& s) {
    for (const auto& view : s.at("views"))
      if (view.at("id") == s.at("active")) return view;
    return nlohmann::json();
  };
  const nlohmann::json before = active(desk.settled());
  ASSERT_TRUE(before["controls"].contains("map")) << before["controls"];
  desk.click(before["controls"]["map"]);
  desk.key("End");
  desk.key("Return");
  ASSERT_TRUE(desk.shows(
      [&](const auto& s) { return active(s).at("options").at("map") != before["options"]["map"]; }));
  desk.take_focus("Varve");
  desk.key("ctrl+z");
  EXPECT_TRUE(desk.shows(
      [&](const auto& s) { return active(s).at("options").at("map") == before["options"]["map"]; }));
}

}  // namespace
}  // namespace varve
