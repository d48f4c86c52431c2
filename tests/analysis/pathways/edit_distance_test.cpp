// Edit distances against the textbook table, on random texts and on those a person can check.
#include "analysis/pathways/edit_distance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace varve {
namespace {

// Wagner and Fischer 1974.
template <class Sequence>
int64_t plain_distance(const Sequence& a, const Sequence& b) {
  std::vector<int64_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int64_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    int64_t diagonal = row[0];
    row[0] = static_cast<int64_t>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int64_t above = row[j];
      row[j] = std::min({row[j - 1] + 1, above + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row.back();
}

std::string random_text(std::mt19937_64& random, size_t longest, int kinds) {
  static const std::string letters = "0123456789,-abcdefgh";
  std::string text(random() % (longest + 1), ' ');
  for (char& letter : text) letter = letters[random() % static_cast<uint64_t>(kinds)];
  return text;
}

TEST(EditDistance, SmallCasesAreAsOnPaper) {
  EXPECT_EQ(edit_distance(std::string("kitten"), std::string("sitting")), 3);
  EXPECT_EQ(edit_distance(std::string(), std::string("abc")), 3);
  EXPECT_EQ(edit_distance(std::string("abc"), std::string()), 3);
  EXPECT_EQ(edit_distance(std::string("same"), std::string("same")), 0);
  EXPECT_EQ(edit_distance(std::string("0,1-1,2"), std::string("0,2-2")), 3);
  EXPECT_EQ(edit_distance(std::vector<int64_t>{0, 1, 101, 102}, std::vector<int64_t>{0, 2, 102}), 2);
}

TEST(EditDistance, BitParallelEqualsPlainOnAHundredThousandRandomPairs) {
  std::mt19937_64 random(7);
  constexpr int pairs = 100000;
  std::vector<std::string> texts;
  std::vector<SamplePair> chosen;
  for (int i = 0; i < pairs; ++i) {
    // Short ones mostly, some across two and three blocks.
    const size_t longest = i % 100 == 0 ? 200 : i % 10 == 0 ? 70 : 24;
    texts.push_back(random_text(random, longest, 2 + i % 11));
    // A neighbour of the first, or a text of its own.
    std::string other = i % 2 ? texts.back() : random_text(random, longest, 2 + i % 11);
    if (i % 2 && !other.empty()) other.erase(random() % other.size(), 1 + random() % 3);
    texts.push_back(other);
    chosen.emplace_back(2 * i, 2 * i + 1);
  }
  Task task;
  const std::vector<int64_t> together = edit_distances(texts, chosen, task);
  for (size_t i = 0; i < chosen.size(); ++i) {
    const std::string &a = texts[2 * i], &b = texts[2 * i + 1];
    const int64_t expected = plain_distance(a, b);
    ASSERT_EQ(together[i], expected) << a << " and " << b;
    ASSERT_EQ(edit_distance(a, b), expected) << a << " and " << b;
  }
}

TEST(EditDistance, ManyKindsOfCharactersGiveTheSame) {
  std::mt19937_64 random(8);
  std::vector<std::string> texts;
  std::vector<SamplePair> chosen;
  for (int i = 0; i < 40; ++i) texts.push_back(random_text(random, 300, 20));
  for (int i = 0; i < 39; ++i) chosen.emplace_back(i, i + 1);
  Task task;
  const std::vector<int64_t> together = edit_distances(texts, chosen, task);
  for (size_t i = 0; i < chosen.size(); ++i) EXPECT_EQ(together[i], plain_distance(texts[i], texts[i + 1]));
}

TEST(EditDistance, LongStringsOfUnequalLengthShareLanesWithoutHarm) {
  std::mt19937_64 random(9);
  std::vector<std::string> texts;
  std::vector<SamplePair> chosen;
  for (int i = 0; i < 30; ++i) texts.push_back(random_text(random, i % 3 == 0 ? 5 : 1300, 12));
  for (int i = 0; i < 29; ++i) chosen.emplace_back(i, i + 1);
  Task task;
  const std::vector<int64_t> together = edit_distances(texts, chosen, task);
  for (size_t i = 0; i < chosen.size(); ++i)
    EXPECT_EQ(together[i], plain_distance(texts[i], texts[i + 1])) << i;
}

TEST(EditDistance, IsAMetric) {
  std::mt19937_64 random(10);
  for (int i = 0; i < 500; ++i) {
    const std::string a = random_text(random, 90, 5), b = random_text(random, 90, 5),
                      c = random_text(random, 90, 5);
    EXPECT_EQ(edit_distance(a, b), edit_distance(b, a));
    EXPECT_LE(edit_distance(a, c), edit_distance(a, b) + edit_distance(b, c));
    EXPECT_EQ(edit_distance(a + c, b + c) <= edit_distance(a, b), true) << "a common end adds nothing";
  }
}

}  // namespace
}  // namespace varve
