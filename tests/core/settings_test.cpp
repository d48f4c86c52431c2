// Settings: defaults, normal forms, and refusals that name the nearest.
#include "analysis/core/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analysis/core/catalog.h"

namespace varve {
namespace {

using testing::HasSubstr;

struct Params {
  int64_t top_k = 5;
  double scale = 0.5;
  bool centred = false;
  std::string norm = "layer";
  std::string label;
  template <class Visit>
  void each(Visit&& visit) {
    visit("top_k", top_k, "how many tokens to keep", Range{1, 1000});
    visit("scale", scale, "what to multiply by", Range{0, 10});
    visit("centred", centred, "whether the mean is taken off");
    visit("norm", norm, "which statistics to use", Choices{"layer", "final", "none"});
    visit("label", label, "what to call it");
  }
};

std::string complaint(const SettingValues& given) {
  try {
    read_settings<Params>(given, "logit-lens");
  } catch (const Error& error) {
    EXPECT_EQ(error.blame(), Blame::usage);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(Settings, AreDescribedByTheirStruct) {
  const std::vector<SettingInfo> all = declared_settings<Params>();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].kind, SettingKind::integer);
  EXPECT_EQ(all[0].default_text, "5");
  EXPECT_EQ(all[1].kind, SettingKind::real);
  EXPECT_EQ(all[2].default_text, "false");
  EXPECT_EQ(all[3].kind, SettingKind::choice);
  EXPECT_EQ(all[3].choices.size(), 3u);
}

TEST(Settings, WithoutAnyTextAreTheDefaults) {
  const Params params = read_settings<Params>({}, "logit-lens");
  EXPECT_EQ(params.top_k, 5);
  EXPECT_EQ(params.scale, 0.5);
  EXPECT_EQ(params.norm, "layer");
}

TEST(Settings, AreReadFromText) {
  const Params params = read_settings<Params>(
      {{"top_k", "7"}, {"scale", "2.5e-1"}, {"centred", "yes"}, {"norm", "none"}, {"label", "a b"}}, "it");
  EXPECT_EQ(params.top_k, 7);
  EXPECT_EQ(params.scale, 0.25);
  EXPECT_TRUE(params.centred);
  EXPECT_EQ(params.norm, "none");
  EXPECT_EQ(params.label, "a b");
}

TEST(Settings, EqualValuesHaveOneNormalForm) {
  const auto declared = declared_settings<Params>();
  EXPECT_EQ(normalise(declared, {{"scale", "0.50"}, {"centred", "off"}}, "it"),
            normalise(declared, {}, "it"));
  EXPECT_EQ(normalise(declared, {{"scale", "-0"}}, "it"), normalise(declared, {{"scale", "0"}}, "it"));
  const SettingValues once = normalise(declared, {{"scale", "0.1"}}, "it");
  EXPECT_EQ(normalise(declared, once, "it"), once);
}

TEST(Settings, AnUndeclaredNameNamesTheNearest) {
  EXPECT_THAT(complaint({{"topk", "3"}}), HasSubstr("did you mean 'top_k'"));
}

TEST(Settings, AValueOfTheWrongKindIsRefused) {
  EXPECT_THAT(complaint({{"top_k", "many"}}), HasSubstr("top_k = 'many' is not a whole number"));
  EXPECT_THAT(complaint({{"top_k", "3.5"}}), HasSubstr("not a whole number"));
  EXPECT_THAT(complaint({{"top_k", ""}}), HasSubstr("not a whole number"));
  EXPECT_THAT(complaint({{"top_k", "99999999999999999999"}}), HasSubstr("not a whole number"));
  EXPECT_THAT(complaint({{"scale", "1,5"}}), HasSubstr("not a number"));
  EXPECT_THAT(complaint({{"scale", "nan"}}), HasSubstr("not a number"));
  EXPECT_THAT(complaint({{"scale", "inf"}}), HasSubstr("not a number"));
  EXPECT_THAT(complaint({{"centred", "maybe"}}), HasSubstr("not true or false"));
}

TEST(Settings, AValueOutsideItsRangeIsRefused) {
  EXPECT_THAT(complaint({{"top_k", "0"}}), HasSubstr("outside 1 to 1000"));
  EXPECT_THAT(complaint({{"scale", "10.5"}}), HasSubstr("outside 0 to 10"));
}

TEST(Settings, AnUnknownChoiceNamesTheNearest) {
  EXPECT_THAT(complaint({{"norm", "finale"}}), HasSubstr("did you mean 'final'"));
}

TEST(Nearest, IgnoresCapitalsAndTakesTheFirstOfEquals) {
  EXPECT_EQ(nearest("LOSS", {"lens", "loss"}), "loss");
  EXPECT_EQ(nearest("ax", {"ab", "ac"}), "ab");
  EXPECT_EQ(nearest("", {"abc", "a"}), "a");
  EXPECT_EQ(nearest("x", {}), "");
}

struct Thing {
  std::string name;
};

TEST(Catalog, RefusesTwoOfOneNameAndNamesTheNearest) {
  Catalog<Thing> shelf("view");
  shelf.add({"heat-map"});
  shelf.add({"lines"});
  EXPECT_THROW(shelf.add({"lines"}), Error);
  EXPECT_EQ(shelf.get("lines").name, "lines");
  try {
    shelf.get("heatmap");
    FAIL() << "an unknown name was found";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("'heat-map'"));
    EXPECT_EQ(error.blame(), Blame::usage);
  }
}

}  // namespace
}  // namespace varve
