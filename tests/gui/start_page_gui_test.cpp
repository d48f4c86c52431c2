// The start page and the tour, as somebody new meets them.
#include "tests/gui/desk.h"

namespace varve {
namespace {

class Start : public OnTheDemoDesk {
 protected:
  static void cached_model(const DesktopUnderTest& desk, const std::string& name, const std::string& type) {
    const auto snapshot = std::filesystem::path(desk.file("cache")) / "huggingface" / "hub" /
                          ("models--" + name) / "snapshots" / "a";
    std::filesystem::create_directories(snapshot);
    std::ofstream(snapshot / "config.json") << "{\"model_type\": \"" << type << "\"}";
    std::ofstream(snapshot / "model.safetensors") << "x";
  }
  static auto tour_at(int step) {
    return [step](const nlohmann::json& s) {
      return s.at("flows").at("tour").at("step") == step && s.at("flows").at("tour").at("words") != "";
    };
  }
};

TEST_F(Start, SaysWhatTheCacheHoldsAndWhyNot) {
  DesktopUnderTest desk;
  cached_model(desk, "example-org--base-70m", "gpt_neox");
  cached_model(desk, "example-org--vision-b16", "vit");
  desk.start({"--theme", "light"});
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const auto& hub = s.at("flows").at("start").at("hub");
    return hub.size() == 2 && hub[0].at("name") == "example-org / base-70m" && hub[0].at("problem") == "" &&
           hub[1].at("problem") == "not supported: vit";
  }));
}

TEST_F(Start, AQuestionOpensTheDemoWithItsLayoutAndTheSeriesIsRemembered) {
  DesktopUnderTest desk;
  desk.start({"--theme", "light"});
  ASSERT_TRUE(desk.shows(
      [](const auto& s) { return s.at("flows").at("start").at("places").contains("question 3"); }));
  desk.take_focus("Varve");
  desk.click(desk.settled()["flows"]["start"]["places"]["question 3"]);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return s.at("open") == true && s.at("series") == "tiny-neox" && s.at("undo") != "" &&
           s.at("views").size() >= 2;
  }));
  desk.key("ctrl+w");
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const auto& recent = s.at("flows").at("start").at("recent");
    return recent.size() == 1 && recent[0].at("name") == "tiny-neox" && recent[0].at("steps") == 16 &&
           recent[0].at("gone") == false;
  }));
  const std::string row = "recent " + demo_;
  ASSERT_TRUE(
      desk.shows([&](const auto& s) { return s.at("flows").at("start").at("places").contains(row); }));
  desk.click(desk.settled()["flows"]["start"]["places"][row]);
  EXPECT_TRUE(desk.shows([](const auto& s) { return s.at("open") == true; }));
}

TEST_F(Start, TheTourWaitsForEachActAndKeepsItsPlace) {
  DesktopUnderTest desk;
  desk.start({"--theme", "light"});
  ASSERT_TRUE(
      desk.shows([](const auto& s) { return s.at("flows").at("start").at("places").contains("tour"); }));
  desk.take_focus("Varve");
  desk.click(desk.settled()["flows"]["start"]["places"]["tour"]);
  ASSERT_TRUE(desk.shows(tour_at(0)));
  desk.click(desk.settled()["flows"]["start"]["places"]["demo"]);
  ASSERT_TRUE(desk.shows(tour_at(1)));
  desk.xdotool({"type", "--delay", "5", "The king said"});
  desk.key("Return");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("run_complete") == true; }));
  EXPECT_EQ(desk.state()["flows"]["tour"]["step"], 1) << "running is not scrubbing";
  for (const int step : {5000, 4000, 3750}) {
    desk.key("Left");
    ASSERT_TRUE(desk.shows([&](const auto& s) { return s.at("step") == step; }));
  }
  ASSERT_TRUE(desk.shows(tour_at(2)));
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("view").at("places").contains("2,1"); }));
  const nlohmann::json cell = desk.place(2, 1);
  desk.xdotool({"mousemove", std::to_string(cell[0].get<int>() + 9), std::to_string(cell[1].get<int>() + 9)});
  ASSERT_TRUE(desk.shows(tour_at(3)));
  desk.click(desk.place(4, 1));
  ASSERT_TRUE(desk.shows([&](const auto& s) {
    return tour_at(4)(s) && s.at("flows").at("tour").at("words").template get<std::string>().find(
                                "At step 3750") != std::string::npos;
  })) << "the answer is a sentence";
  EXPECT_EQ(content_of(desk.file("tour")), "4\n");
}

}  // namespace
}  // namespace varve
