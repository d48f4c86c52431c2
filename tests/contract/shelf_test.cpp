// One promise for all shelves: every thing on them has a name, a summary, help and a test of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "analysis/analysis.h"
#include "app/verbs/verb.h"
#include "loaders/family.h"
#include "loaders/format.h"
#include "viz/view.h"

namespace varve {
namespace {

const std::filesystem::path source = VARVE_SOURCE;

bool is_outside_word(const std::string& name) {
  return !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-';
         });
}

std::vector<std::string> stems_of(const std::string& folder) {
  std::vector<std::string> stems;
  for (const auto& entry : std::filesystem::directory_iterator(source / folder))
    if (entry.path().extension() == ".cpp") stems.push_back(entry.path().stem().string());
  std::sort(stems.begin(), stems.end());
  return stems;
}

// Tests that name a thing in quotes, as "lens-table" or "gpt_neox", test it.
bool is_named_in(const std::filesystem::path& folder, const std::string& stem) {
  std::string dashed = stem;
  std::replace(dashed.begin(), dashed.end(), '_', '-');
  if (!std::filesystem::exists(folder)) return false;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().string().ends_with("_test.cpp")) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const std::string& name : {stem, dashed})
      if (text.find('"' + name + '"') != std::string::npos) return true;
  }
  return false;
}

// A test file of its own, or a test beside it or among the goldens that names it.
void expect_tests(const std::string& shelf, const std::string& tests) {
  EXPECT_FALSE(stems_of(shelf).empty()) << shelf;
  for (const std::string& stem : stems_of(shelf))
    EXPECT_TRUE(std::filesystem::exists(source / tests / (stem + "_test.cpp")) ||
                is_named_in(source / tests, stem) || is_named_in(source / "tests/golden", stem))
        << shelf << "/" << stem << ".cpp has no test in " << tests;
}

void expect_settings(const std::string& whose, const std::vector<SettingInfo>& settings) {
  for (const SettingInfo& setting : settings) {
    EXPECT_FALSE(setting.name.empty()) << whose;
    EXPECT_GE(setting.help.size(), 10U) << whose << " " << setting.name << " needs a help line";
    if (setting.kind == SettingKind::choice) {
      EXPECT_THAT(setting.choices, testing::Contains(setting.default_text)) << whose << " " << setting.name;
    }
  }
  // Defaults lie inside their own ranges.
  EXPECT_NO_THROW(normalise(settings, {}, whose));
}

template <class Item>
void expect_named(const Catalog<Item>& shelf) {
  EXPECT_FALSE(shelf.items().empty());
  for (const Item& item : shelf.items()) {
    EXPECT_TRUE(is_outside_word(item.name)) << item.name << " is no word-with-dashes";
    EXPECT_FALSE(item.summary.empty()) << item.name;
    EXPECT_NE(item.summary.empty() ? '.' : item.summary.back(), '.')
        << item.name << ": a summary is no sentence";
  }
}

TEST(Shelves, AnalysesKeepTheirPromises) {
  expect_named(analyses());
  expect_tests("analysis/catalog", "tests/analysis/catalog");
  for (const Analysis& one : analyses().items()) {
    EXPECT_FALSE(one.help.empty()) << one.name;
    EXPECT_TRUE(one.begin || !one.cells_of.empty() || one.reduce_with)
        << one.name << ": nothing makes its result";
    expect_settings(one.name, one.settings);
  }
}

TEST(Shelves, ViewsKeepTheirPromises) {
  expect_named(views());
  expect_tests("viz/views", "tests/viz/views");
  for (const View& one : views().items()) {
    EXPECT_FALSE(one.help.empty()) << one.name;
    EXPECT_TRUE(one.fit && one.draw && one.drawn_data) << one.name;
    EXPECT_EQ(one.fit(Dataset()), 0) << one.name << " claims to show nothing at all";
    expect_settings(one.name, one.options);
  }
}

TEST(Shelves, FormatsKeepTheirPromises) {
  expect_named(formats());
  expect_tests("loaders/formats", "tests/loaders/formats");
  for (const Format& one : formats().items()) {
    EXPECT_FALSE(one.endings.empty()) << one.name;
    EXPECT_TRUE(one.recognises && one.open) << one.name;
  }
}

// A family's name is config.json's model_type, which is written with underscores.
TEST(Shelves, FamiliesKeepTheirPromises) {
  EXPECT_FALSE(families().items().empty());
  expect_tests("loaders/families", "tests/loaders/families");
  for (const Family& one : families().items()) {
    EXPECT_FALSE(one.summary.empty()) << one.name;
    EXPECT_TRUE(static_cast<bool>(one.read)) << one.name;
    EXPECT_FALSE(one.model_types.empty() && one.architectures.empty()) << one.name;
  }
}

TEST(Shelves, VerbsKeepTheirPromises) {
  expect_named(verbs());
  expect_tests("app/verbs", "tests/verbs");
  for (const Verb& one : verbs().items()) {
    EXPECT_EQ(one.example.rfind("varve " + one.name, 0), 0U) << one.name;
    EXPECT_TRUE(static_cast<bool>(one.prepare)) << one.name;
  }
}

}  // namespace
}  // namespace varve
