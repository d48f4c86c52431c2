// Import: bits stay as they are, what is there is not read again, and what is wrong is said before anything
// is written.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "loaders/checkpoint_files.h"
#include "loaders/import.h"
#include "loaders/tensor_scan.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

// Sums over a few thousand doubles in another order.
constexpr double sum_tolerance = 1e-12;

class Import : public ::testing::Test {
 protected:
  void write_step(int64_t step, double seed) {
    write_model(source_ / ("step" + std::to_string(step)), small_neox(seed));
  }
  ImportReport imported(ImportRequest request = {}) {
    request.source = source_;
    if (request.store.empty()) request.store = store_;
    Task task;
    return import_series(request, task);
  }
  SeriesRecord series() const { return RunStore::open(store_)->series(); }

  TempFolder folder_;
  fs::path source_ = folder_.path() / "run", store_ = folder_.path() / "run.varve";
};

int64_t bytes_of(const SmallModel& model) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : model.tensors)
    bytes += static_cast<int64_t>(tensor.values.size() * sizeof(float));
  return bytes;
}

void expect_equal_bits(const fs::path& store_folder, const CheckpointRecord& record,
                       const SmallModel& model) {
  const auto store = RunStore::open(store_folder);
  ASSERT_EQ(record.tensors.size(), model.tensors.size());
  for (const TensorRecord& tensor : record.tensors) {
    const F32Tensor& expected = model.tensors.at(tensor.name);
    const TensorView view = store->tensor(tensor);
    EXPECT_EQ(view.shape, expected.shape);
    ASSERT_EQ(view.bytes.size(), expected.values.size() * sizeof(float));
    EXPECT_EQ(std::memcmp(view.bytes.data(), expected.values.data(), view.bytes.size()), 0) << tensor.name;
  }
}

TEST_F(Import, TensorsComeBackBitForBit) {
  write_step(1, 1);
  write_step(2, 2);
  const ImportReport report = imported();
  EXPECT_EQ(report.added, 2);
  const SeriesRecord all = series();
  ASSERT_EQ(all.checkpoints.size(), 2u);
  expect_equal_bits(store_, all.checkpoints[0], small_neox(1));
  expect_equal_bits(store_, all.checkpoints[1], small_neox(2));
  EXPECT_EQ(all.checkpoints[1].label, "step2");
  EXPECT_EQ(all.checkpoints[1].config, small_neox().config);
}

TEST_F(Import, DigestsAreThoseTheStoreVerifies) {
  write_step(1, 1);
  write_step(2, 2);
  imported();
  Task task;
  for (const StoreFinding& finding : RunStore::open(store_)->verify(task))
    EXPECT_FALSE(finding.broken) << finding.what;
}

TEST_F(Import, TwiceAddsNothingAndReadsNothing) {
  write_step(1, 1);
  write_step(2, 2);
  const ImportReport first = imported();
  EXPECT_EQ(first.bytes_read, 2 * bytes_of(small_neox()));
  const ImportReport again = imported();
  EXPECT_EQ(again.added, 0);
  EXPECT_EQ(again.already, 2);
  EXPECT_EQ(again.bytes_read, 0);
  EXPECT_EQ(again.bytes_written, 0);
}

TEST_F(Import, AddingTwoCheckpointsReadsTwo) {
  for (const int64_t step : {1, 2, 3}) write_step(step, static_cast<double>(step));
  imported();
  write_step(4, 4);
  write_step(5, 5);
  const ImportReport report = imported();
  EXPECT_EQ(report.added, 2);
  EXPECT_EQ(report.already, 3);
  EXPECT_EQ(report.bytes_read, 2 * bytes_of(small_neox()));
  EXPECT_EQ(series().checkpoints.size(), 5u);
}

TEST_F(Import, EqualTensorsAreStoredOnce) {
  write_step(1, 1);
  imported();
  SmallModel model = small_neox(1);
  model.tensors["embed_out.weight"] = counted({11, 8}, 9);
  write_model(source_ / "step2", model);
  const ImportReport report = imported();
  EXPECT_EQ(report.bytes_written, 11 * 8 * 4);
  EXPECT_EQ(report.tensors_shared, static_cast<int64_t>(model.tensors.size()) - 1);
  expect_equal_bits(store_, series().checkpoints.at(1), model);
}

double expected_change(const SmallModel& now, const SmallModel& before) {
  double difference = 0, norm = 0;
  for (const auto& [name, tensor] : now.tensors)
    for (size_t i = 0; i < tensor.values.size(); ++i) {
      const double old = before.tensors.at(name).values[i];
      difference += (tensor.values[i] - old) * (tensor.values[i] - old);
      norm += old * old;
    }
  return std::sqrt(difference) / std::sqrt(norm);
}

TEST_F(Import, TheChangeIsRelativeToTheStepBefore) {
  write_step(1, 1);
  write_step(2, 2);
  write_step(3, 2);
  imported();
  const SeriesRecord all = series();
  EXPECT_TRUE(std::isnan(all.checkpoints[0].change));
  EXPECT_NEAR(all.checkpoints[1].change, expected_change(small_neox(2), small_neox(1)), sum_tolerance);
  EXPECT_EQ(all.checkpoints[2].change, 0);
}

TEST_F(Import, AStepThatComesBetweenChangesWhatFollowsIt) {
  write_step(1, 1);
  write_step(9, 9);
  imported();
  write_step(5, 4);
  imported();
  const SeriesRecord all = series();
  ASSERT_EQ(all.checkpoints.size(), 3u);
  EXPECT_NEAR(all.checkpoints[1].change, expected_change(small_neox(4), small_neox(1)), sum_tolerance);
  EXPECT_NEAR(all.checkpoints[2].change, expected_change(small_neox(9), small_neox(4)), sum_tolerance);
}

TEST_F(Import, ALinkedStoreHandsOutTheSourcesBits) {
  write_step(1, 1);
  write_step(2, 2);
  ImportRequest linked;
  linked.link = true;
  linked.store = folder_.path() / "linked.varve";
  const ImportReport report = imported(linked);
  EXPECT_EQ(report.bytes_written, 0);
  imported();
  const SeriesRecord copied = series(), left = RunStore::open(linked.store)->series();
  for (size_t i = 0; i < 2; ++i) {
    expect_equal_bits(linked.store, left.checkpoints[i], small_neox(static_cast<double>(i + 1)));
    EXPECT_EQ(left.checkpoints[i].digest, copied.checkpoints[i].digest);
  }
  EXPECT_EQ(left.checkpoints[0].tensors[0].link_path,
            fs::canonical(source_ / "step1/model.safetensors").string());
}

TEST_F(Import, ALinkedSourceThatChangedIsAnError) {
  write_step(1, 1);
  ImportRequest linked;
  linked.link = true;
  imported(linked);
  write_step(1, 3);
  const auto store = RunStore::open(store_);
  expect_error([&] { store->tensor(store->series().checkpoints[0].tensors[0]); }, {"model.safetensors"});
}

TEST_F(Import, OtherContentAtTheSamePlaceAsksForABranch) {
  write_step(1, 1);
  imported();
  fs::remove_all(source_);
  write_step(1, 2);
  expect_error([&] { imported(); }, {"step 1", "already there", "--branch"});
  ImportRequest request;
  request.branch = "second";
  EXPECT_EQ(imported(request).added, 1);
  EXPECT_EQ(series().checkpoints.size(), 2u);
}

TEST_F(Import, TheSameContentFromElsewhereIsAlreadyThere) {
  write_step(1, 1);
  imported();
  fs::rename(source_, folder_.path() / "moved");
  source_ = folder_.path() / "moved";
  const ImportReport report = imported();
  EXPECT_EQ(report.already, 1);
  EXPECT_EQ(report.added, 0);
}

TEST_F(Import, StepsChoose) {
  for (const int64_t step : {1, 2, 4, 8}) write_step(step, static_cast<double>(step));
  ImportRequest request;
  request.steps = "2,last";
  EXPECT_EQ(imported(request).added, 2);
  EXPECT_EQ(series().checkpoints[0].step, 2);
  EXPECT_EQ(series().checkpoints[1].step, 8);
}

TEST_F(Import, NanWeightsAreImportedAndFlagged) {
  SmallModel model = small_neox(1);
  model.tensors["embed_out.weight"].values[3] = std::nanf("");
  model.tensors["embed_out.weight"].values[4] = std::numeric_limits<float>::infinity();
  write_model(source_ / "step1", model);
  const ImportReport report = imported();
  EXPECT_EQ(report.added, 1);
  EXPECT_EQ(series().checkpoints[0].nonfinite, 2);
  ASSERT_FALSE(report.notes.empty());
  EXPECT_NE(report.notes.back().find("embed_out.weight"), std::string::npos);
  expect_equal_bits(store_, series().checkpoints[0], model);
}

TEST_F(Import, ABrokenLastStepIsKnownBeforeAnythingIsWritten) {
  write_step(1, 1);
  write_step(2, 2);
  const fs::path file = source_ / "step2/model.safetensors";
  fs::resize_file(file, fs::file_size(file) - 4);
  expect_error([&] { imported(); }, {"step2", "cut short"});
  EXPECT_FALSE(fs::exists(store_));
}

TEST_F(Import, EqualLinksAreReadOnce) {
  write_step(1, 1);
  fs::create_directory_symlink("step1", source_ / "step2");
  const ImportReport report = imported();
  EXPECT_EQ(report.added, 2);
  EXPECT_EQ(report.bytes_read, bytes_of(small_neox()));
  EXPECT_EQ(series().checkpoints[1].digest, series().checkpoints[0].digest);
  EXPECT_EQ(series().checkpoints[1].change, 0);
}

TEST_F(Import, StopKeepsWhatIsWhole) {
  for (const int64_t step : {1, 2, 3}) write_step(step, static_cast<double>(step));
  auto progress = std::make_shared<Progress>();
  progress->request_stop();
  Task task(progress);
  ImportRequest request;
  request.source = source_;
  request.store = store_;
  EXPECT_THROW(import_series(request, task), Stopped);
  EXPECT_EQ(imported().added, 3);
}

TEST_F(Import, TokenizerAndTrainingLogComeAlong) {
  write_step(1, 1);
  write_text(source_ / "tokenizer.json", "{\"model\": {}}");
  write_text(source_ / "metrics.jsonl", "{\"step\": 1, \"loss\": 2.5}\n");
  imported();
  EXPECT_EQ(series().tokenizer, "{\"model\": {}}");
  const auto logs = RunStore::open(store_)->logs();
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_EQ(logs[0].first, "metrics");
  EXPECT_EQ(logs[0].second["loss"].number(0), 2.5);
}

TEST_F(Import, AnIndexThatMisplacesATensorIsRefused) {
  const SmallModel model = small_neox(1);
  F32Tensors first = model.tensors, second;
  second["embed_out.weight"] = first["embed_out.weight"];
  first.erase("embed_out.weight");
  const fs::path folder = source_ / "step1";
  write_text(folder / "config.json", model.config);
  write_text(folder / "a.safetensors", safetensors_of(first));
  write_text(folder / "b.safetensors", safetensors_of(second));
  std::string map;
  for (const auto& [name, tensor] : first) map += "\"" + name + "\": \"a.safetensors\", ";
  const auto index = [&](const char* shard) {
    write_text(folder / "model.safetensors.index.json",
               "{\"weight_map\": {" + map + "\"embed_out.weight\": \"" + shard + "\"}}");
  };
  index("a.safetensors");
  expect_error(
      [&] {
        find_series(source_);
        open_checkpoint(find_series(source_).checkpoints[0]);
      },
      {"index", "embed_out.weight"});
  index("b.safetensors");
  EXPECT_EQ(imported().added, 1);
  expect_equal_bits(store_, series().checkpoints[0], model);
}

TEST(TensorScan, CountsNonFiniteValuesOfEveryFloatType) {
  const auto scan = [](TensorType type, const std::vector<uint64_t>& patterns) {
    std::vector<std::byte> bytes;
    for (const uint64_t pattern : patterns)
      for (int64_t i = 0; i < size_of(type); ++i) bytes.push_back(static_cast<std::byte>(pattern >> (8 * i)));
    const TensorView view{type, {static_cast<int64_t>(patterns.size())}, bytes};
    const TensorScan found = scan_tensor(view, nullptr, [](int64_t) {});
    EXPECT_EQ(found.digest, tensor_digest(view));
    return found.nonfinite;
  };
  EXPECT_EQ(scan(TensorType::f16, {0x7c00, 0xfc00, 0x7e01, 0x7bff, 0}), 3);
  EXPECT_EQ(scan(TensorType::bf16, {0x7f80, 0xff80, 0x7fc0, 0x7f7f, 0}), 3);
  EXPECT_EQ(scan(TensorType::f32, {0x7f800000, 0xffc00000, 0x7f7fffff, 1}), 2);
  EXPECT_EQ(scan(TensorType::f64, {0x7ff0000000000000, 0xfff8000000000000, 0x7fefffffffffffff}), 2);
  EXPECT_EQ(scan(TensorType::i64, {~uint64_t{0}, 0x7ff0000000000000}), 0);
}

TEST(TensorScan, ManyBlocksGiveTheChangeOfAPlainLoop) {
  constexpr size_t count = 100'003;
  std::vector<float> now(count);
  std::vector<double> old(count);
  double difference = 0, norm = 0;
  for (size_t i = 0; i < count; ++i) {
    now[i] = static_cast<float>(std::sin(static_cast<double>(i)));
    old[i] = std::cos(static_cast<double>(i));
    difference += (now[i] - old[i]) * (now[i] - old[i]);
    norm += old[i] * old[i];
  }
  const TensorView a{TensorType::f32, {count}, std::as_bytes(std::span(now))};
  const TensorView b{TensorType::f64, {count}, std::as_bytes(std::span(old))};
  int64_t passed = 0;
  const TensorScan scan = scan_tensor(a, &b, [&](int64_t bytes) { passed += bytes; });
  EXPECT_NEAR(scan.change.difference / difference, 1, sum_tolerance);
  EXPECT_NEAR(scan.change.before / norm, 1, sum_tolerance);
  EXPECT_EQ(passed, static_cast<int64_t>(count * sizeof(float)));
}

TEST(TinyNeox, ImportsWholeAndVerifies) {
  const fs::path source = VARVE_SHARED "/series/tiny-neox";
  if (!fs::exists(source)) GTEST_SKIP() << "the reference series is not here: " << source;
  const TempFolder folder;
  ImportRequest request;
  request.source = source;
  request.store = folder.path() / "tiny.varve";
  Task task;
  EXPECT_EQ(import_series(request, task).added, 16);
  const auto store = RunStore::open(request.store);
  for (const StoreFinding& finding : store->verify(task)) EXPECT_FALSE(finding.broken) << finding.what;
  EXPECT_FALSE(store->series().tokenizer.empty());
  EXPECT_EQ(store->logs().size(), 1u);
  EXPECT_EQ(import_series(request, task).already, 16);
}

}  // namespace
}  // namespace varve
