// Looking back from the window: what is stored, where it came from, and notes, as a person drives them.
#include "tests/gui/desk.h"

namespace varve {
namespace {

using Flow = OnTheDemoDesk;

TEST_F(Flow, AResultTellsItsProvenanceIsRemovedAndComesBack) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("flows").at("results").at("runs").size() == 1; }));
  const nlohmann::json run = desk.state()["flows"]["results"]["runs"][0];
  EXPECT_EQ(run["analysis"], "logit-lens");
  EXPECT_EQ(run["cells"], 16);
  EXPECT_EQ(run["text"], "The king said");
  EXPECT_NE(run["badge"].get<std::string>().find("check"), std::string::npos);
  const nlohmann::json rows = desk.settled()["flows"]["results"]["places"];
  for (const auto& [id, box] : rows.items())
    if (id.rfind("result ", 0) == 0) desk.click(box);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const std::string details = s.at("flows").at("results").at("details");
    return details.find("precision") != std::string::npos && details.find("logit-lens / ") == 0 &&
           s.at("flows").at("results").at("buttons").contains("why");
  }));
  desk.click(desk.settled()["flows"]["results"]["buttons"]["why"]);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    const std::string details = s.at("flows").at("results").at("details");
    return details.find("weights") != std::string::npos &&
           details.find("other results of") != std::string::npos;
  }));
  const std::string results = desk.state()["store"].get<std::string>() + "/results/logit-lens";
  desk.click(desk.settled()["flows"]["results"]["buttons"]["remove"]);
  ASSERT_TRUE(desk.shows([](const auto& s) {
    return !s.at("flows").at("results").contains("runs") &&
           s.at("flows").at("results").at("buttons").contains("undo");
  }));
  EXPECT_TRUE(std::filesystem::is_empty(results));
  desk.click(desk.settled()["flows"]["results"]["buttons"]["undo"]);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("flows").at("results").at("runs").size() == 1; }));
  EXPECT_FALSE(std::filesystem::is_empty(results));
}

TEST_F(Flow, ANoteIsWrittenWhereOneLooksAndKeptAsAPlainFile) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  desk.click(desk.place(3, 1));
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("selection").at("layer") == 3; }));
  desk.key("n");
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("flows").at("notes").at("current") == 0; }));
  desk.xdotool({"type", "--delay", "5", "L3 knows it"});
  const std::string file = desk.state()["store"].get<std::string>() + "/notes.md";
  ASSERT_TRUE(desk.until([&] { return content_of(file).find("L3 knows it") != std::string::npos; }));
  EXPECT_NE(content_of(file).find("step=7000 layer=3 pos=1"), std::string::npos) << content_of(file);
  ASSERT_TRUE(
      desk.shows([](const auto& s) { return s.at("flows").at("results").at("places").contains("note 0"); }));
}

}  // namespace
}  // namespace varve
