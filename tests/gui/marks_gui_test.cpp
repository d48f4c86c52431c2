// Marks of any result: the inspector follows them, they are measured, and those above chance make a set.
#include "tests/gui/desk.h"

namespace varve {
namespace {

class MarksByHand : public OnTheDemoDesk {
 protected:
  // A store that holds the detectors of three steps, shown by layer and head.
  void open_with_heads(DesktopUnderTest& desk) {
    const std::string program = std::string(VARVE_PROGRAMS) + "/varve", store = desk.file("heads.varve");
    ASSERT_EQ(run_words({program, "import", demo_, "-o", store}).exit_code, 0);
    ASSERT_EQ(run_words({program, "run", "head-detectors", store, "--steps", "0,2000,last", "--probes",
                         "repeat-random:prompts=6,period=12"})
                  .exit_code,
              0);
    desk.start({store, "--theme", "light"});
    ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("open") == true && s.at("settled") == true; }));
    desk.take_focus("Varve");
    palette(desk, ">circuits");
    ASSERT_TRUE(desk.shows(
        [](const auto& s) { return s.at("views")[0].at("name") == "heat-map" && s.at("settled") == true; }));
  }
  static void palette(DesktopUnderTest& desk, const std::string& words) {
    desk.key("ctrl+k");
    ASSERT_TRUE(desk.shows([](const auto& s) { return s.contains("palette"); }));
    desk.xdotool({"type", "--delay", "5", words});
    const std::string wanted = words.substr(1);
    ASSERT_TRUE(desk.shows([&](const auto& s) {
      std::string first = s.at("palette").at("found").at(0);
      std::transform(first.begin(), first.end(), first.begin(), [](char c) { return std::tolower(c); });
      return first.rfind(wanted, 0) == 0;
    }));
    desk.key("Return");
    ASSERT_TRUE(desk.shows([](const auto& s) { return !s.contains("palette"); }));
  }
  // Moves to parts of the first view's canvas, 0 to 1 from its top left.
  static void move_to(DesktopUnderTest& desk, double x, double y) {
    const nlohmann::json box = desk.settled()["views"][0]["canvas"];
    const auto at = [&box](int corner, double part) {
      return std::to_string(
          static_cast<int>(box[corner].get<double>() + part * box[corner + 2].get<double>()));
    };
    desk.xdotool({"mousemove", at(0, x), at(1, y)});
  }
};

TEST_F(MarksByHand, TheInspectorFollowsAHeadWhichIsMeasuredAndTheOnesAboveChanceMakeASet) {
  DesktopUnderTest desk;
  open_with_heads(desk);
  move_to(desk, 0.7, 0.15);
  desk.xdotool({"click", "1"});
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("inspector").at("heading").template get<std::string>().rfind("Head L", 0) == 0 &&
           s.at("inspector").at("numbers").contains("induction") &&
           s.at("inspector").at("steps_over_training") == nlohmann::json({0, 2000, 7000});
  }));

  palette(desk, ">heads above floor");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("set").size() > 0 && s.at("set").size() < 16; }));
  // The induction heads of the demo; with so few prompts a head of the first layer is above even attention,
  // too.
  const nlohmann::json set = desk.state()["set"];
  for (int head = 1; head <= 3; ++head)
    EXPECT_NE(std::find(set.begin(), set.end(), nlohmann::json{{"layer", 3}, {"head", head}}), set.end())
        << "L3H" << head << " of " << set.dump();

  // From the selected head to another one.
  move_to(desk, 0.3, 0.75);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views")[0].at("tip") != ""; }));
  desk.key("m");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views")[0].at("measures") == true; }));
  move_to(desk, 0.6, 0.25);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const std::string tip = s.at("views")[0].at("tip");
    return tip.find("measured from\t") != std::string::npos && tip.find("difference\t") != std::string::npos;
  }));
  desk.key("m");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("views")[0].at("measures") == false; }));
}

TEST_F(MarksByHand, ScoresFromATableAreCorrelatedWithWhatTheViewShows) {
  DesktopUnderTest desk;
  open_with_heads(desk);
  const std::string table = desk.file("evals.csv");
  std::ofstream(table) << "step,accuracy\n0,0.1\n2000,0.3\n7000,0.8\n";
  palette(desk, ">add scores");
  desk.answer("Scores by checkpoint", table);
  desk.take_focus("Varve");
  ASSERT_TRUE(desk.shows([&](const auto& s) {
    const auto& form = s.at("flows").at("form");
    return form.at("analysis") == "metric-correlation" && form.at("inputs").at("scores") == table;
  }));
  EXPECT_EQ(desk.state()["flows"]["form"]["problems"].size(), 0U);
}

}  // namespace
}  // namespace varve
