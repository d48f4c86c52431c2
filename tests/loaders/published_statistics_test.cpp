// The text layout of published statistics: the printed numbers exactly, and no half of a file.
#include "loaders/published_statistics.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "loaders/curves.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

// pythia-14m as it is published: top-1 and median of the first sequence are the real numbers, the other rows
// here are made up.
const char* const step_0 = R"([[[1.25000238 1.72026634 2.2408154  2.48499537 2.60725164 2.97754455]
  [1.2        1.7        2.2        2.4        2.6        2.9       ]
  [1.1        1.6        2.1        2.3        2.5        2.8       ]
  [0.1755127  0.24716029 0.30434802 0.36156762 0.40170962 0.44329506]]

 [[1.5 1.5 1.5 1.5 1.5 1.5]
  [1.4 1.4 1.4 1.4 1.4 1.4]
  [1.3 1.3 1.3 1.3 1.3 1.3]
  [0.2 0.2 0.2 0.2 0.2 0.2]]]
)";
const char* const step_52000 = R"([[[1.47893417 1.49915683 8.35056877 6.7709322
   6.82764912 5.11121941]
  [1.4 1.4 8. 6.
   6.  5. ]
  [1.3 1.3 7. 5.
   5.  4. ]
  [8.498086e-02 0.09232409 0.13316444 0.1337775  0.20477219 0.28153509]]

 [[2. 2. 2. 2. 2. 2.]
  [1. 1. 1. 1. 1. 1.]
  [1. 1. 1. 1. 1. 1.]
  [1. 1. 1. 1. 1. 1.]]]
)";

class PublishedStatistics : public testing::Test {
 protected:
  PublishedStatistics() {
    write("exp2_pythia_14m_step0", step_0);
    write("exp2_pythia_14m_step52000", step_52000);
  }
  void write(const std::string& name, const std::string& text) {
    write_text(temp_.path() / "pythia_14m" / "stats" / name, text);
  }
  Dataset read() const { return read_curves(temp_.path() / "pythia_14m"); }
  TempFolder temp_;
};

TEST_F(PublishedStatistics, ThePrintedNumbersAreReadExactly) {
  const Dataset data = read();
  const double top_0[] = {1.25000238, 1.72026634, 2.2408154, 2.48499537, 2.60725164, 2.97754455};
  const double median_0[] = {0.1755127, 0.24716029, 0.30434802, 0.36156762, 0.40170962, 0.44329506};
  const double top_52[] = {1.47893417, 1.49915683, 8.35056877, 6.7709322, 6.82764912, 5.11121941};
  const double median_52[] = {.08498086, .09232409, .13316444, .1337775, .20477219, .28153509};
  ASSERT_EQ(data["top"].shape(), (std::vector<int64_t>{2, 6, 2, 3}));
  for (int64_t layer = 0; layer < 6; ++layer) {
    EXPECT_EQ(data["top"].number(layer * 6), top_0[layer]);
    EXPECT_EQ(data["top"].number((6 + layer) * 6), top_52[layer]);
    EXPECT_EQ(data["median"].number(layer * 2), median_0[layer]);
    EXPECT_EQ(data["median"].number((6 + layer) * 2), median_52[layer]);
  }
  EXPECT_EQ(data.coord("step")->number(1), 52000);
  EXPECT_EQ(data["top"].number(3), 1.5);  // second sequence
  EXPECT_EQ(data["d_model_size"].number(0), 128);
  EXPECT_EQ(data["layers"].number(0), 6);
}

TEST_F(PublishedStatistics, OneBlockAfterAnotherReadsTheSame) {
  const Dataset before = read();
  write("exp2_pythia_14m_step0", std::string(step_0).substr(1));  // without the outer pair
  std::string text = std::string(step_0).substr(1);
  text.erase(text.rfind(']'));
  write("exp2_pythia_14m_step0", text);
  EXPECT_TRUE(read().same_values(before));
}

TEST_F(PublishedStatistics, StepsAreSortedAsNumbers) {
  write("exp2_pythia_14m_step1000", step_0);
  const Dataset data = read();
  EXPECT_EQ(data.coord("step")->number(1), 1000);
}

TEST_F(PublishedStatistics, WhatIsNotWholeIsRefused) {
  write("exp2_pythia_14m_step52000", "[[1 2 ... 5 6]]");
  expect_error([&] { read(); }, {"shortened", "threshold"});
  write("exp2_pythia_14m_step52000", "[[1 2]\n [3 4]\n [5 6]]");
  expect_error([&] { read(); }, {"3 rows"});
  write("exp2_pythia_14m_step52000", "[[1 2]\n [3 4]\n [5 6]\n [7]]");
  expect_error([&] { read(); }, {"row 3", "1 numbers"});
  write("exp2_pythia_14m_step52000", "[[1 2]\n [3 4]\n [5 6]\n [7 8]");
  expect_error([&] { read(); }, {"still open"});
  write("exp2_pythia_14m_step52000", "[[1 2]\n [3 4]\n [5 x]\n [7 8]]");
  expect_error([&] { read(); }, {"no number"});
  write("exp2_pythia_14m_step52000", "[[1 2]\n [3 4]\n [5 6]\n [7 8]]");
  expect_error([&] { read(); }, {"2 layers", "6"});
}

TEST_F(PublishedStatistics, AFolderOfOtherThingsIsNone) {
  write_text(temp_.path() / "other" / "config.json", "{}");
  EXPECT_FALSE(is_curve_source(temp_.path() / "other"));
  EXPECT_FALSE(is_curve_source(temp_.path() / "absent"));
  EXPECT_TRUE(is_curve_source(temp_.path() / "pythia_14m"));
  EXPECT_TRUE(is_curve_source(temp_.path() / "pythia_14m" / "stats"));
  expect_error([&] { read_curves(temp_.path() / "other"); }, {"exp2_pythia_14m_step1000", "_meta"});
}

}  // namespace
}  // namespace varve
