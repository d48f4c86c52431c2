// Probe packs and the check that stands before every forward pass.
#include "analysis/model/probes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/core/error.h"

namespace varve {
namespace {

TEST(Pack, RepeatsRandomIdsAfterOneFirstToken) {
  const Probes probes = make_pack("repeat-random:prompts=3,period=5,seed=7,first=2,low=10,high=20", 100);
  ASSERT_EQ(probes.prompts.size(), 3u);
  for (const std::vector<int64_t>& ids : probes.prompts) {
    ASSERT_EQ(ids.size(), 11u);
    EXPECT_EQ(ids[0], 2);
    EXPECT_TRUE(std::equal(ids.begin() + 1, ids.begin() + 6, ids.begin() + 6));
    EXPECT_TRUE(std::all_of(ids.begin() + 1, ids.end(), [](int64_t id) { return id >= 10 && id < 20; }));
  }
  EXPECT_NE(probes.prompts[0], probes.prompts[1]);
  EXPECT_EQ(probes.longest(), 11);
  EXPECT_EQ(probes.tokens(), 33);
}

// Written down once: another order of draws would silently change every result made with a pack.
TEST(Pack, NeverChangesItsIds) {
  const Probes probes = make_pack("induction:prompts=1,period=6,seed=0", 1000);
  EXPECT_EQ(probes.prompts[0], make_pack("repeat-random:prompts=1,period=6", 1000).prompts[0]);
  const std::vector<int64_t> known = {0, 737, 28, 821, 683, 185, 256};
  EXPECT_EQ(std::vector<int64_t>(probes.prompts[0].begin(), probes.prompts[0].begin() + 7), known);
}

TEST(Pack, NamesWhatIsWrong) {
  const auto message = [](const std::string& pack) -> std::string {
    try {
      make_pack(pack, 100);
    } catch (const Error& error) {
      EXPECT_EQ(error.blame(), Blame::usage);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("repeat-randon").find("'repeat-random'"), std::string::npos);
  EXPECT_NE(message("induction:perod=4").find("'period'"), std::string::npos);
  EXPECT_NE(message("induction:period=x").find("whole number"), std::string::npos);
  EXPECT_NE(message("induction:period").find("whole number"), std::string::npos);
  EXPECT_NE(message("induction:period=0").find("between"), std::string::npos);
  EXPECT_NE(message("induction:first=100").find("between"), std::string::npos);
  EXPECT_NE(message("induction:low=50,high=50").find("between"), std::string::npos);
}

TEST(Probes, DigestReadsIdsAndLengthsButNotTheName) {
  const Probes one{{{1, 2}, {3}}, "a"}, other{{{1}, {2, 3}}, "a"}, renamed{{{1, 2}, {3}}, "b"};
  EXPECT_NE(one.digest(), other.digest());
  EXPECT_EQ(one.digest(), renamed.digest());
}

TEST(Probes, AreCheckedAgainstTheModel) {
  const auto message = [](std::vector<std::vector<int64_t>> prompts) -> std::string {
    try {
      check_probes({std::move(prompts), "x"}, 10, 4);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({{0, 9}, {1}}), "");
  EXPECT_NE(message({{1}, {2, 10}}).find("prompt 1, position 1: token id 10"), std::string::npos);
  EXPECT_NE(message({{-1}}).find("-1"), std::string::npos);
  EXPECT_NE(message({{1}, {}}).find("prompt 1 is empty"), std::string::npos);
  EXPECT_NE(message({{1, 2, 3, 4, 5}}).find("5 tokens"), std::string::npos);
  EXPECT_NE(message({}).find("no prompts"), std::string::npos);
}

}  // namespace
}  // namespace varve
