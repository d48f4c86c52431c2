// What the window writes and reads: pictures, numbers, and a series imported as a store.
#include <algorithm>
#include <cctype>

#include "tests/gui/desk.h"

namespace varve {
namespace {

using Files = OnTheDemoDesk;

// The file once all of it is there: it is put in place in one move.
std::string exported(DesktopUnderTest& desk, const std::string& key, const std::string& dialog,
                     const std::string& name) {
  desk.take_focus("Varve");
  desk.key(key);
  desk.answer(dialog, desk.file(name));
  EXPECT_TRUE(desk.until([&] { return std::filesystem::exists(desk.file(name)); })) << name;
  return content_of(desk.file(name));
}

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number = number << 8U | static_cast<uint8_t>(bytes.at(at + i));
  return number;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_F(Files, PicturesAreExportedAsPdfAndPng) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  const std::string png = exported(desk, "e", "Export picture", "lens.png");
  ASSERT_GT(png.size(), 33U);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(png.substr(png.size() - 8, 4), "IEND");
  const uint32_t width = big_endian(png, 16), height = big_endian(png, 20);
  EXPECT_EQ(width, 1800U) << "twice 900 px";
  EXPECT_GT(height, 400U);
  EXPECT_LT(height, 900U) << "a model of four layers leaves no half of the page empty";

  const std::string pdf = exported(desk, "e", "Export picture", "lens.pdf");
  EXPECT_EQ(pdf.rfind("%PDF-", 0), 0U);
  EXPECT_NE(pdf.find("%%EOF"), std::string::npos);
  // A point is 4/3 of a pixel at scale 1.
  const size_t page = pdf.find("/MediaBox [");
  ASSERT_NE(page, std::string::npos);
  double left = -1, top = -1, right = 0, bottom = 0;
  std::istringstream(pdf.substr(page + 11)) >> left >> top >> right >> bottom;
  EXPECT_EQ(left, 0);
  EXPECT_EQ(top, 0);
  EXPECT_NEAR(right, width / 2.0 * 0.75, 0.01);
  EXPECT_NEAR(bottom, height / 2.0 * 0.75, 0.01);
}

TEST_F(Files, ExportedNumbersAreThoseOnScreen) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  desk.click(desk.place(3, 1));
  ASSERT_TRUE(
      desk.shows([](const auto& s) { return s.at("inspector").at("heading") == "Layer 3 · position 1"; }));
  const nlohmann::json shown = desk.state();
  const std::vector<std::string> rows = lines_of(exported(desk, "shift+e", "Export data", "lens.csv"));
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows.front(), "array,layer,pos,value,unit");
  const auto count = [&rows](const std::string& array) {
    return static_cast<size_t>(std::count_if(rows.begin(), rows.end(), [&array](const std::string& row) {
      return row.rfind(array + ",", 0) == 0;
    }));
  };
  const size_t cells = shown["view"]["places"].size(), tokens = shown["prompt"]["ids"].size();
  EXPECT_EQ(cells, 5 * tokens);
  EXPECT_EQ(count("prob_true"), cells);
  EXPECT_EQ(count("best_token"), cells);
  EXPECT_EQ(count("input_token"), tokens);
  const auto cell = std::find_if(rows.begin(), rows.end(),
                                 [](const std::string& row) { return row.rfind("prob_true,3,1,", 0) == 0; });
  ASSERT_NE(cell, rows.end());
  char rounded[32];
  std::snprintf(rounded, sizeof rounded, "%.3f", std::stod(cell->substr(cell->find(",1,") + 3)));
  const std::string inspected = shown["inspector"]["numbers"]["probability of the next token"];
  EXPECT_EQ(inspected == "<0.001" ? "0.000" : inspected, rounded) << *cell;
}

TEST_F(Files, TheMapBelowIsExportedWhereItIsTheActiveView) {
  DesktopUnderTest desk;
  open_with_lens(desk);
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("map").at("places").size() == 16 * 5; }));
  desk.click(desk.settled()["map"]["places"]["512,2"]);
  ASSERT_TRUE(
      desk.shows([](const auto& s) { return s.at("step") == 512 && s.at("selection").at("layer") == 2; }));
  const std::vector<std::string> rows = lines_of(exported(desk, "shift+e", "Export data", "map.csv"));
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows.front(), "array,step,layer,value,unit");
  const auto count = [&rows](const std::string& array) {
    return std::count_if(rows.begin(), rows.end(),
                         [&](const std::string& row) { return row.rfind(array + ",", 0) == 0; });
  };
  EXPECT_EQ(count("prob_true"), 16 * 5);
  EXPECT_EQ(count("prob_true_n"), 16 * 5) << "of how many positions each is the mean";
  EXPECT_EQ(rows.size(), 1 + 2 * 16 * 5U);
}

// Many steps of one checkpoint: links cost no room, and each takes a moment to import.
void make_long_series(const std::string& from, const std::string& to, int steps) {
  const std::string script = "set -e; mkdir -p '" + to + "/step0'; cp '" + from + "/step0'/* '" + to +
                             "/step0/'; for f in '" + from + "'/tokenizer*.json; do cp \"$f\" '" + to +
                             "/'; done; i=1; while [ $i -lt " + std::to_string(steps) + " ]; do cp -rl '" +
                             to + "/step0' '" + to + "'/step$i; i=$((i+1)); done";
  const Ended ended = run_words({"/bin/sh", "-c", script});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
}

TEST_F(Files, ASeriesIsImportedAsAStoreAndTheImportCanBeStopped) {
  DesktopUnderTest desk;
  constexpr int steps = 150;
  const std::string source = desk.file("long"), store = desk.file("long.varve");
  make_long_series(demo_, source, steps);
  desk.start({"--theme", "light"});
  ASSERT_TRUE(desk.shows([](const auto& s) { return s.at("open") == false; }));
  desk.take_focus("Varve");
  const auto ask = [&] {
    desk.key("ctrl+i");
    desk.answer("Import which folder", source);
    desk.take_focus("Import as store");
  };
  const auto newest = [](const nlohmann::json& s) { return s.at("jobs").back(); };

  ask();
  // The import is stopped right after it began.
  desk.key("Return");
  desk.take_focus("Varve", {"key", "ctrl+period"});
  ASSERT_TRUE(desk.shows([&](const auto& s) { return newest(s).at("finished") == true; }));
  EXPECT_EQ(newest(desk.state())["stopped"], true) << newest(desk.state());
  EXPECT_EQ(desk.state()["open"], false) << "half a series is not opened";

  // What was kept is whole, and the same import goes on from there.
  desk.take_focus("Varve");
  ask();
  desk.key("Return");
  bool has_moved = false;
  ASSERT_TRUE(desk.shows([&](const auto& s) {
    const double fraction = newest(s).at("fraction");
    has_moved = has_moved || (newest(s).at("finished") == false && fraction > 0 && fraction < 1);
    return s.at("open") == true;
  }));
  EXPECT_TRUE(has_moved) << "progress was never seen";
  EXPECT_EQ(desk.state()["steps"].size(), static_cast<size_t>(steps));
  EXPECT_EQ(std::filesystem::path(desk.state()["store"].get<std::string>()).filename(), "long.varve");
  const Ended verified = run_words({std::string(VARVE_PROGRAMS) + "/varve", "verify", store});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
}

}  // namespace
}  // namespace varve
