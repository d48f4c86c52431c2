// Run and stop from the window's form, as a person drives it.
#include "analysis/analysis.h"
#include "tests/gui/desk.h"

namespace varve {
namespace {

class RunFormInTheWindow : public OnTheDemoDesk {
 protected:
  static void type_into(DesktopUnderTest& desk, const nlohmann::json& box, const std::string& text) {
    desk.click(box);
    desk.key("ctrl+a");
    desk.xdotool({"type", "--delay", "5", text});
  }
  static nlohmann::json form_place(DesktopUnderTest& desk, const std::string& field) {
    return desk.settled()["flows"]["form"]["places"][field];
  }
  static void open_form(DesktopUnderTest& desk) {
    desk.key("ctrl+Return");
    ASSERT_TRUE(
        desk.shows([](const auto& s) { return s.at("flows").at("form").at("places").contains("run"); }));
  }
};

TEST_F(RunFormInTheWindow, TheFormSaysWhatAFieldNeedsThenTheCostAndRuns) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  open_form(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const auto& cost = s.at("flows").at("form").at("cost");
    return cost.size() == 2 && cost[0] == "All 16 cells are there";
  }));
  type_into(desk, form_place(desk, "memory"), "much");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const auto& form = s.at("flows").at("form");
    return form.at("problems").contains("memory") && form.at("cost").empty() &&
           form.at("off").template get<std::string>().rfind("Run is off: “memory” needs a size", 0) == 0;
  }));
  type_into(desk, form_place(desk, "memory"), "2 GB");
  type_into(desk, form_place(desk, "set top_k"), "3");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const auto& form = s.at("flows").at("form");
    return form.at("problems").empty() && form.at("off") == "" && form.at("cost").size() >= 4 &&
           form.at("cost")[0] == "0 of 16 cells are there" &&
           form.at("cost")[3].template get<std::string>().find("peak ") != std::string::npos;
  }));
  desk.click(form_place(desk, "run"));
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("flows").at("jobs").back().at("words") == "16 cells computed" && s.at("run_complete") == true;
  }));
  // The browser lists both runs of the lens, and the form's cost now counts the new cells.
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("flows").at("results").at("runs").size() == 2 &&
           s.at("flows").at("form").at("cost")[0] == "All 16 cells are there" &&
           s.at("flows").at("form").at("recent") == 1;
  }));
  desk.take_focus("Varve");
  desk.key("ctrl+z");
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("redo") != ""; })) << "a run is an act";
}

// A setting may have the name of a field that every analysis has: edge-attribution's "steps".
TEST_F(RunFormInTheWindow, EveryAnalysisHasItsFormOneAfterTheOther) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  open_form(desk);
  const auto analysis = [&] { return desk.state()["flows"]["form"]["analysis"].get<std::string>(); };
  std::vector<std::string> names;
  for (const Analysis& one : analyses().items()) names.push_back(one.name);
  const size_t windows = desk.windows().size();
  desk.click(form_place(desk, "analysis"));
  ASSERT_TRUE(desk.until([&] { return desk.windows().size() > windows; })) << "its list";
  desk.xdotool({"key", "Home", "Return"});
  for (size_t i = 0; i < names.size(); ++i) {
    ASSERT_TRUE(desk.until([&] { return analysis() == names[i]; }))
        << names[i] << ", shown is " << analysis();
    if (i + 1 < names.size()) desk.key("Down");
  }
  const nlohmann::json form = desk.settled()["flows"]["form"];
  EXPECT_TRUE(form["places"].contains("analysis")) << form.dump();
}

// In a low window the details open where the second click falls.
TEST_F(RunFormInTheWindow, ADoubleClickShowsAResultHoweverLittleRoomThereIs) {
  DesktopUnderTest desk("1440x760");
  open_with_lens(desk);
  open_form(desk);
  type_into(desk, form_place(desk, "set top_k"), "3");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("flows").at("form").at("off") == ""; }));
  desk.click(form_place(desk, "run"));
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("flows").at("results").at("runs").size() == 2; }));
  const nlohmann::json results = desk.settled()["flows"]["results"];
  std::vector<std::pair<int, int>> rows;  // y, x: in the order of the runs
  for (const auto& [id, box] : results["places"].items())
    if (id.rfind("result ", 0) == 0) rows.emplace_back(box[1].get<int>() + 8, box[0].get<int>() + 30);
  std::sort(rows.begin(), rows.end());
  ASSERT_EQ(rows.size(), 2U);
  const auto [y, x] = rows[results["runs"][0]["settings"] == "" ? 0 : 1];
  desk.xdotool(
      {"mousemove", std::to_string(x), std::to_string(y), "click", "--repeat", "2", "--delay", "150", "1"});
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("undo") == "show logit-lens"; }));
}

TEST_F(RunFormInTheWindow, RecentSettingsComeBackFromTheirMenu) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  open_form(desk);
  type_into(desk, form_place(desk, "set top_k"), "3");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("flows").at("form").at("off") == ""; }));
  desk.click(form_place(desk, "run"));
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("flows").at("form").at("recent") == 1; }));
  type_into(desk, form_place(desk, "set top_k"), "7");
  ASSERT_TRUE(
      desk.shows([](const auto& s) { return s.at("flows").at("form").at("settings").at("top_k") == "7"; }));
  const size_t windows = desk.windows().size();
  desk.click(form_place(desk, "recent"));
  ASSERT_TRUE(desk.until([&] { return desk.windows().size() > windows; })) << "the menu";
  desk.key("Down");
  desk.key("Return");
  EXPECT_TRUE(
      desk.shows([](const auto& s) { return s.at("flows").at("form").at("settings").at("top_k") == "3"; }));
}

TEST_F(RunFormInTheWindow, StopKeepsWhatIsFinishedAndTheNextRunTakesIt) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  open_form(desk);
  type_into(desk, form_place(desk, "prompt"), "pack: repeat-random:prompts=150,period=30");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const auto& cost = s.at("flows").at("form").at("cost");
    return cost.size() >= 2 && cost[0] == "0 of 16 cells are there";
  }));
  desk.click(form_place(desk, "run"));
  // Stopped by its button once a first cell is there, wherever the row then lies.
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const auto& job = s.at("flows").at("jobs").back();
    return s.at("cells") >= 1 && s.at("cells") < 16 && job.contains("button");
  }));
  desk.click(desk.state()["flows"]["jobs"].back()["button"]);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("flows").at("jobs").back().at("words").template get<std::string>().rfind("stopped; ", 0) == 0;
  }));
  const int64_t kept = desk.state()["cells"];
  EXPECT_GE(kept, 1);
  desk.click(form_place(desk, "run"));
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("run_complete") == true && s.at("cells") == 16; }));
  const std::string words = desk.state()["flows"]["jobs"].back()["words"];
  EXPECT_NE(words.find("from the store"), std::string::npos) << words;
}

}  // namespace
}  // namespace varve
