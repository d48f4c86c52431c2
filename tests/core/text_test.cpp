// Texts: patterns, sizes, steps, and numbers as they are shown.
#include "analysis/core/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "analysis/core/error.h"

namespace varve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(GlobMatch, StarsTakeAnyRunAndQuestionMarksOneLetter) {
  EXPECT_TRUE(glob_match("blocks.*.attn.pattern", "blocks.12.attn.pattern"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("**resid*post*", "blocks.0.resid_post"));
  EXPECT_TRUE(glob_match("blocks.?.z", "blocks.3.z"));
  EXPECT_FALSE(glob_match("blocks.?.z", "blocks.12.z"));
  EXPECT_FALSE(glob_match("blocks", "blocks.1"));
  EXPECT_FALSE(glob_match("", "a"));
}

TEST(GlobMatch, HostilePatternsTakeNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "a*";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(2000, 'a')));
}

TEST(Split, KeepsEmptyParts) {
  EXPECT_THAT(split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split("", ','), ElementsAre(""));
}

const std::vector<int64_t> existing = {0, 1, 2, 4, 8, 16, 512, 1000, 2000, 3000, 143000};

std::string complaint(const std::string& list) {
  try {
    parse_steps(list, existing);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(ParseSteps, ReadsNumbersAndStretchesSortedAndDistinct) {
  EXPECT_THAT(parse_steps("2,0,2", existing), ElementsAre(0, 2));
  EXPECT_THAT(parse_steps("4:512:x2", existing), ElementsAre(4, 8, 16, 512));
  EXPECT_THAT(parse_steps("1000:143000:1000", existing), ElementsAre(1000, 2000, 3000, 143000));
  EXPECT_THAT(parse_steps("0:4:1, 1:8:x2 ,last,first", existing), ElementsAre(0, 1, 2, 4, 8, 143000));
}

TEST(ParseSteps, AGeometricStretchSelectsOnlyItsPowers) {
  EXPECT_THAT(parse_steps("1:600:x4", existing), ElementsAre(1, 4, 16));
}

TEST(ParseSteps, NeedsNoSortedSteps) { EXPECT_THAT(parse_steps("first,last", {9, 3, 5}), ElementsAre(3, 9)); }

TEST(ParseSteps, AMissingStepNamesTheNearest) {
  EXPECT_THAT(complaint("1400"), HasSubstr("is 1000"));
  EXPECT_THAT(complaint("9223372036854775807"), HasSubstr("is 143000"));
}

TEST(ParseSteps, AStretchThatMeetsNothingNamesTheNearest) {
  EXPECT_THAT(complaint("17:500:1"), HasSubstr("is 16"));
  EXPECT_THAT(complaint("3:400:x3"), HasSubstr("nearest"));
}

TEST(ParseSteps, RefusesWhatIsNoList) {
  for (const std::string list : {"", ",", "a", "1:2", "1:2:3:4", "-1", "1:8:x", "1:8:y2", "1.5", "0x10",
                                 "1:8:-1", "99999999999999999999"})
    EXPECT_THAT(complaint(list), HasSubstr("is not a list of steps")) << list;
  EXPECT_THAT(complaint("8:1:1"), HasSubstr("ends before it begins"));
  EXPECT_THAT(complaint("0:8:0"), HasSubstr("advance"));
  EXPECT_THAT(complaint("0:8:x2"), HasSubstr("begin at 1"));
  EXPECT_THAT(complaint("1:8:x1"), HasSubstr("grow"));
  EXPECT_THROW(parse_steps("last", {}), Error);
}

TEST(ParseSteps, AStretchUpToTheLargestNumberEnds) {
  EXPECT_THAT(parse_steps("1:9223372036854775807:x2", existing), ElementsAre(1, 2, 4, 8, 16, 512));
  EXPECT_THAT(parse_steps("2000:9223372036854775807:1000", existing), ElementsAre(2000, 3000, 143000));
}

TEST(ParseBytes, ReadsPowersOfTenAndOfTwo) {
  EXPECT_EQ(parse_bytes("2G"), 2000000000);
  EXPECT_EQ(parse_bytes("512M"), 512000000);
  EXPECT_EQ(parse_bytes("1.5GiB"), 1610612736);
  EXPECT_EQ(parse_bytes("4096"), 4096);
  EXPECT_EQ(parse_bytes("10kb"), 10000);
  EXPECT_EQ(parse_bytes("1Ki"), 1024);
  EXPECT_EQ(parse_bytes("7B"), 7);
}

TEST(ParseBytes, RefusesWhatIsNoSize) {
  for (const std::string size :
       {"", "G", "2X", "-1G", "2 G", "inf", "nan", "1e3", "2GiBB", "2iB", "9999999P", "0x10"})
    EXPECT_THROW(parse_bytes(size), Error) << size;
}

TEST(ShowNumber, KeepsThreeSignificantDigits) {
  EXPECT_EQ(show_number(0.05), "0.0500");
  EXPECT_EQ(show_number(1), "1.00");
  EXPECT_EQ(show_number(12.345), "12.3");
  EXPECT_EQ(show_number(9.999), "10.0");
  EXPECT_EQ(show_number(999.9), "1000");
  EXPECT_EQ(show_number(12345), "12345");
  EXPECT_EQ(show_number(0.001234), "0.00123");
  EXPECT_EQ(show_number(0), "0.00");
}

TEST(ShowNumber, WritesPowersForTheVerySmallAndLarge) {
  EXPECT_EQ(show_number(2e-4), "2.00e\u22124");
  EXPECT_EQ(show_number(-2e-4), "\u22122.00e\u22124");
  EXPECT_EQ(show_number(1.5e6), "1.50e6");
  EXPECT_EQ(show_number(999999.9), "1.00e6");
  EXPECT_EQ(show_number(5e-324), "4.94e\u2212324");
}

TEST(ShowNumber, HasATrueMinusAndNoNumberIsNaN) {
  EXPECT_EQ(show_number(-1.5), "\u22121.50");
  EXPECT_EQ(show_number(-0.0), "0.00");
  EXPECT_EQ(show_number(std::nan("")), "NaN");
  EXPECT_EQ(show_number(-std::numeric_limits<double>::infinity()), "\u2212\u221e");
}

TEST(ShowNumber, GivesAsManyDigitsAsAsked) {
  EXPECT_EQ(show_number(3.14159265, 6), "3.14159");
  EXPECT_EQ(show_number(1234567.0, 9), "1234567.00");
}

TEST(ShowCount, GroupsByThousands) {
  EXPECT_EQ(show_count(0), "0");
  EXPECT_EQ(show_count(999), "999");
  EXPECT_EQ(show_count(32491), "32,491");
  EXPECT_EQ(show_count(-1234567), "\u22121,234,567");
  EXPECT_EQ(show_count(std::numeric_limits<int64_t>::min()), "\u22129,223,372,036,854,775,808");
}

TEST(ShowStep, ShortensOnlyWhereNothingIsLost) {
  EXPECT_EQ(show_step(0), "0");
  EXPECT_EQ(show_step(512), "512");
  EXPECT_EQ(show_step(1000), "1k");
  EXPECT_EQ(show_step(16000), "16k");
  EXPECT_EQ(show_step(1500), "1.5k");
  EXPECT_EQ(show_step(1024), "1024");
  EXPECT_EQ(show_step(143000), "143k");
  EXPECT_EQ(show_step(1500000), "1.5M");
  EXPECT_EQ(show_step(1251000), "1251k");
}

TEST(ShowBytes, UsesPowersOfTen) {
  EXPECT_EQ(show_bytes(0), "0 B");
  EXPECT_EQ(show_bytes(999), "999 B");
  EXPECT_EQ(show_bytes(1200000000), "1.2 GB");
  EXPECT_EQ(show_bytes(999960), "1.0 MB");
}

TEST(ShowSeconds, ReadsLikeSpeech) {
  EXPECT_EQ(show_seconds(1.8), "1.8 s");
  EXPECT_EQ(show_seconds(250), "4 min 10 s");
  EXPECT_EQ(show_seconds(59.97), "1 min 0 s");
  EXPECT_EQ(show_seconds(7500), "2 h 5 min");
  EXPECT_EQ(show_seconds(0.012), "12 ms");
  EXPECT_EQ(show_seconds(100000), "1 d 4 h");
  EXPECT_EQ(show_seconds(std::nan("")), "unknown");
}

TEST(IsUtf8, AcceptsLettersOfEveryLength) { EXPECT_TRUE(is_utf8("a\u00e9\u20ac\U0001F600")); }

TEST(IsUtf8, RefusesBrokenOverlongAndForbiddenForms) {
  EXPECT_FALSE(is_utf8("\x80"));
  EXPECT_FALSE(is_utf8("\xE2\x82"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));
  EXPECT_FALSE(is_utf8("\xE0\x80\x80"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\xFF"));
}

}  // namespace
}  // namespace varve
