// Training curves from metrics.jsonl and trainer_state.json.
#include <gtest/gtest.h>

#include <cmath>

#include "loaders/import.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

Dataset read(const std::string& name, const std::string& text) {
  const TempFolder folder;
  write_text(folder.path() / name, text);
  return read_log(folder.path() / name);
}

TEST(TrainingLog, EachNumberBecomesAnArrayOverRows) {
  const Dataset log = read("metrics.jsonl",
                           "{\"step\": 5, \"loss\": 2.5, \"note\": \"x\"}\n\n"
                           "{\"step\": 10, \"loss\": 2, \"heldout\": {\"code\": 3}, \"train/lr\": 0.1}\n");
  EXPECT_EQ(log.extent("row"), 2);
  EXPECT_EQ(log.coord("row")->number(1), 10);
  EXPECT_EQ(log["loss"].number(0), 2.5);
  EXPECT_TRUE(std::isnan(log["heldout.code"].number(0)));
  EXPECT_EQ(log["heldout.code"].number(1), 3);
  EXPECT_EQ(log["train.lr"].number(1), 0.1);
  EXPECT_FALSE(log.has("note"));
}

TEST(TrainingLog, AHalfWrittenLineIsLeftOutWithANote) {
  const Dataset log = read("metrics.jsonl", "{\"step\": 5, \"loss\": 2.5}\n{\"step\": 6, \"lo");
  EXPECT_EQ(log.extent("row"), 1);
  ASSERT_EQ(log.notes.size(), 1u);
  EXPECT_NE(log.notes[0].find("line 2"), std::string::npos);
}

TEST(TrainingLog, TrainerStateKeepsItsHistory) {
  const Dataset log = read(
      "trainer_state.json",
      R"({"global_step": 20, "log_history": [{"step": 10, "loss": 3.0, "epoch": 0.5}, {"step": 20, "eval_loss": 2.0}]})");
  EXPECT_EQ(log.coord("row")->number(1), 20);
  EXPECT_EQ(log["loss"].number(0), 3);
  EXPECT_EQ(log["eval_loss"].number(1), 2);
}

TEST(TrainingLog, AFileWithoutCurvesIsRefused) {
  expect_error([] { read("trainer_state.json", "{}"); }, {"log_history"});
  expect_error([] { read("trainer_state.json", "[1"); }, {"log_history"});
  expect_error([] { read("metrics.jsonl", "not json\n"); }, {"no rows"});
}

}  // namespace
}  // namespace varve
