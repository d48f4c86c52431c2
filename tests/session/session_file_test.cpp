// What outlives a window, and the words that leave it.
#include "app/session/session_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "analysis/core/error.h"
#include "app/session/command_line.h"
#include "app/session/export.h"

namespace varve {
namespace {

class SessionFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("varve-session-file-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(SessionFile, IsReadBackAsItWasWritten) {
  Remembered written;
  written.recent = {"/a/b.varve", "/c d"};
  written.text = "The \"cat\"\nsat";
  written.theme = "dark";
  written.geometry = "AAE=";
  write_session_file(folder_ / "deep" / "session.json", written);
  const Remembered read = read_session_file(folder_ / "deep" / "session.json");
  EXPECT_EQ(read.recent, written.recent);
  EXPECT_EQ(read.text, written.text);
  EXPECT_EQ(read.theme, written.theme);
  EXPECT_EQ(read.geometry, written.geometry);
}

TEST_F(SessionFile, IsEmptyWhereThereIsNone) {
  EXPECT_TRUE(read_session_file(folder_ / "none.json").recent.empty());
}

TEST_F(SessionFile, IsAnErrorWhereItIsDamaged) {
  const std::filesystem::path file = folder_ / "torn.json";
  std::ofstream(file) << "{\"recent\": [";
  EXPECT_THROW(read_session_file(file), Error);
  std::ofstream(file, std::ios::trunc) << "{\"recent\": 5}";
  EXPECT_THROW(read_session_file(file), Error);
}

TEST(Remembered, HoldsASeriesOnceNewestFirst) {
  Remembered remembered;
  remember_series(remembered, "/a");
  remember_series(remembered, "/b");
  remember_series(remembered, "/a");
  EXPECT_EQ(remembered.recent, (std::vector<std::string>{"/a", "/b"}));
  for (int i = 0; i < 40; ++i) remember_series(remembered, "/" + std::to_string(i));
  EXPECT_EQ(remembered.recent.size(), 12U);
}

TEST(ShellQuoting, LeavesPlainWordsAndQuotesTheRest) {
  EXPECT_EQ(shell_quoted("demo.varve"), "demo.varve");
  EXPECT_EQ(shell_quoted("a b"), "'a b'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted("$(rm -r x)"), "'$(rm -r x)'");
  EXPECT_EQ(shell_quoted(""), "''");
}

TEST(Csv, HoldsEveryNumberWithItsPlaceAndUnit) {
  Dataset data;
  Array loss({"layer", "pos"}, {1, 2}, std::vector<double>{1.5, 2.25});
  loss.unit = "nats";
  data.set("loss", loss);
  data.set("word", Array({"pos"}, {2}, std::vector<std::string>{"a,b", "say \"x\""}));
  data.set_coord("layer", Array({"layer"}, {1}, std::vector<int64_t>{7}));
  EXPECT_EQ(csv_of(data),
            "array,layer,pos,value,unit\n"
            "loss,7,0,1.5,nats\n"
            "loss,7,1,2.25,nats\n"
            "word,,0,\"a,b\",\n"
            "word,,1,\"say \"\"x\"\"\",\n");
}

TEST(WrittenNumbers, NeedAnEndingThatSaysWhatTheyAre) {
  EXPECT_THROW(write_numbers("varve-numbers.xls", {}), Error);
}

}  // namespace
}  // namespace varve
