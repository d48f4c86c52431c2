// The run store: tensors stored once and mapped, links that must not change, results, one import at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/store/run_store.h"
#include "tests/store/sample_data.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

using testing::HasSubstr;

template <class Deed>
std::string message_of(Deed deed) {
  try {
    deed();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(RunStore, HandsBackTheSeriesAsItWasPublished) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  import_samples(*RunStore::create(path), {0, 10});
  const auto store = RunStore::open(path);
  const SeriesRecord& series = store->series();
  EXPECT_EQ(series.name, "samples");
  ASSERT_EQ(series.checkpoints.size(), 2u);
  const CheckpointRecord wanted = sample_checkpoint(10).record;
  const CheckpointRecord& got = series.checkpoints[1];
  EXPECT_EQ(got.step, 10);
  EXPECT_EQ(got.label, wanted.label);
  EXPECT_EQ(got.config, wanted.config);
  EXPECT_EQ(got.digest, wanted.digest);
  EXPECT_EQ(got.change, 0.25);
  EXPECT_TRUE(std::isnan(series.checkpoints[0].change));
  ASSERT_EQ(got.tensors.size(), 4u);
  EXPECT_EQ(got.tensors[1].name, "w");
  EXPECT_EQ(got.tensors[1].type, TensorType::bf16);
  EXPECT_EQ(got.tensors[1].shape, (std::vector<int64_t>{100, 33}));
  EXPECT_EQ(got.tensors[1].digest, wanted.tensors[1].digest);
}

TEST(RunStore, MapsTensorsBitForBitAtPageStarts) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  import_samples(*store, {0, 10});
  for (int64_t step : {0, 10}) {
    const SampleCheckpoint sample = sample_checkpoint(step);
    for (size_t place = 0; place < sample.bytes.size(); ++place) {
      const TensorView view = store->tensor(sample.record.tensors[place]);
      EXPECT_TRUE(same_bytes(view.bytes, sample.bytes[place])) << sample.record.tensors[place].name;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(view.bytes.data()) % 4096, 0u);
    }
  }
}

TEST(RunStore, EveryTensorTypeSurvives) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  SampleCheckpoint sample;
  for (int type = 0; type <= static_cast<int>(TensorType::boolean); ++type)
    sample.add(std::string(name_of(static_cast<TensorType>(type))), static_cast<TensorType>(type), {3, 5},
               static_cast<uint32_t>(type));
  sample.add("scalar", TensorType::f64, {}, 77);
  sample.add("nothing", TensorType::f32, {0, 4}, 78);
  Task task;
  store->add_weights(sample.tensors(), task);
  for (size_t place = 0; place < sample.bytes.size(); ++place)
    EXPECT_TRUE(same_bytes(store->tensor(sample.record.tensors[place]).bytes, sample.bytes[place]));
}

TEST(RunStore, StoresEqualTensorsOnce) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  const auto store = RunStore::create(path);
  import_samples(*store, {0, 10, 20});
  const std::string shared = sample_checkpoint(0).record.tensors[0].digest;
  int64_t files = 0, holders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path / "weights")) {
    ++files;
    if (read_file(entry.path(), 1 << 30).find("[\"" + shared) != std::string::npos) ++holders;
  }
  EXPECT_EQ(files, 3);
  EXPECT_EQ(holders, 1);
  import_samples(*store, {0, 10, 20});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path / "weights"), {}), 3);
}

TEST(RunStore, WeightsOfAnInterruptedImportAreUsedAgain) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  const SampleCheckpoint sample = sample_checkpoint(0);
  Task task;
  RunStore::create(path)->add_weights(sample.tensors(), task);  // and no series after it
  const auto store = RunStore::open(path);
  EXPECT_TRUE(store->has_tensor(sample.record.tensors[0].digest));
  EXPECT_FALSE(store->has_tensor(std::string(32, '0')));
  std::string words;
  EXPECT_EQ(count_broken(*store, &words), 0);
  EXPECT_THAT(words, HasSubstr("no checkpoint uses it"));
}

TEST(RunStore, RefusesAFolderWhereSomethingElseLies) {
  const TempFolder folder;
  std::ofstream(folder.path() / "thesis.tex") << "x";
  EXPECT_THAT(message_of([&] { RunStore::create(folder.path()); }), HasSubstr("something else"));
  EXPECT_THAT(message_of([&] { RunStore::open(folder.path()); }), HasSubstr("no store"));
}

TEST(RunStore, RefreshSeesWhatAnotherProcessPublished) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  const auto writer = RunStore::create(path);
  const auto reader = RunStore::open(path);
  const SeriesRecord& before = reader->series();
  import_samples(*writer, {0, 10});
  EXPECT_EQ(before.checkpoints.size(), 0u);
  reader->refresh();
  EXPECT_EQ(before.checkpoints.size(), 0u);  // references handed out stay as they were
  EXPECT_EQ(reader->series().checkpoints.size(), 2u);
  EXPECT_TRUE(same_bytes(reader->tensor(reader->series().checkpoints[1].tensors[1]).bytes,
                         sample_checkpoint(10).bytes[1]));
}

TEST(RunStore, KeepsResultsByAnalysisAndKey) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  EXPECT_FALSE(store->has_result("sample", "k1"));
  EXPECT_FALSE(store->result("sample", "k1").has_value());
  Dataset data = sample_dataset();
  store->publish_result("sample", "k1", data);
  data.title = "other";
  store->publish_result("sample", "k1", data);  // the first stays
  data.provenance["key"] = "k0";
  store->publish_result("sample", "k0", data);
  EXPECT_TRUE(store->has_result("sample", "k1"));
  EXPECT_TRUE(store->result("sample", "k1")->same_values(data));
  const std::vector<ResultInfo> all = store->results();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].key, "k0");
  EXPECT_EQ(all[1].title, "A sample");
  EXPECT_EQ(all[1].provenance.at("analysis"), "sample");
  EXPECT_GT(all[1].bytes, 0);
  EXPECT_EQ(count_broken(*store), 0);
}

TEST(RunStore, RefusesNamesThatLeaveTheStore) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  for (const char* name : {"../x", "a/b", "", ".hidden", "a b"})
    EXPECT_THROW(store->publish_result("sample", name, sample_dataset()), Error) << name;
}

TEST(RunStore, KeepsLogsUnderAnyName) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  Dataset log;
  log.set("loss", Array({"row"}, {2}, std::vector<double>{3, 2}));
  store->publish_log("stage 1/metrics", log);
  const auto logs = store->logs();
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_EQ(logs[0].first, "stage 1/metrics");
  EXPECT_TRUE(logs[0].second.same_values(log));
}

class Linked : public testing::Test {
 protected:
  void SetUp() override {
    sample_.add("w", TensorType::f32, {1000}, 5);
    std::ofstream out(source_, std::ios::binary);
    out << "header..";
    out.write(reinterpret_cast<const char*>(sample_.bytes[0].data()),
              static_cast<std::streamsize>(sample_.bytes[0].size()));
    out << "tail";
    out.close();
    TensorRecord& tensor = sample_.record.tensors[0];
    tensor.link_path = source_.string();
    tensor.link_offset = 8;
    SeriesRecord series;
    series.checkpoints = {sample_.record};
    RunStore::create(path_)->publish_series(series);
    store_ = RunStore::open(path_);
  }
  const TensorRecord& tensor() const { return store_->series().checkpoints[0].tensors[0]; }
  void overwrite(std::streamoff at, const std::string& bytes) {
    std::fstream file(source_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(at);
    file << bytes;
  }
  TempFolder folder_;
  std::filesystem::path source_ = folder_.path() / "model.bin", path_ = folder_.path() / "a.varve";
  SampleCheckpoint sample_;
  std::shared_ptr<RunStore> store_;
};

TEST_F(Linked, ReadsTheSourceWhereItLies) {
  EXPECT_EQ(tensor().link_file_bytes, 8 + 4000 + 4);
  EXPECT_TRUE(same_bytes(store_->tensor(tensor()).bytes, sample_.bytes[0]));
  EXPECT_EQ(count_broken(*store_), 0);
}

TEST_F(Linked, ChangedBytesAreAnError) {
  overwrite(2000, "changed");
  EXPECT_THAT(message_of([&] { store_->tensor(tensor()); }), HasSubstr("changed since it was imported"));
  EXPECT_EQ(count_broken(*store_), 1);
}

TEST_F(Linked, ChangedSizeIsAnError) {
  overwrite(4012, "more");
  EXPECT_THAT(message_of([&] { store_->tensor(tensor()); }), HasSubstr("without --link"));
  std::filesystem::resize_file(source_, 100);
  EXPECT_THAT(message_of([&] { store_->tensor(tensor()); }), HasSubstr("changed since it was imported"));
}

TEST_F(Linked, AnAbsentSourceIsAnError) {
  std::filesystem::remove(source_);
  EXPECT_THAT(message_of([&] { store_->tensor(tensor()); }), HasSubstr("is not there"));
  EXPECT_EQ(count_broken(*store_), 1);
}

TEST(RunStore, ASecondImportWaitsAndSaysForWhom) {
  const TempFolder folder;
  const auto first = RunStore::create(folder.path() / "a.varve");
  const auto second = RunStore::open(folder.path() / "a.varve");
  Task task;
  const auto held = first->lock_for_import(task);
  const auto progress = std::make_shared<Progress>();
  progress->request_stop();  // waiting is where Stop must work
  Task waiting(progress);
  EXPECT_THROW(second->lock_for_import(waiting), Stopped);
  ASSERT_EQ(progress->notes().size(), 1u);
  EXPECT_THAT(progress->notes()[0],
              HasSubstr("waiting for another import into this store by process " + std::to_string(getpid())));
}

TEST(RunStore, TheLockIsFreeAgainWhenItsHolderGoes) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  Task task;
  store->lock_for_import(task).reset();
  EXPECT_NE(store->lock_for_import(task), nullptr);
  EXPECT_TRUE(task.progress()->notes().empty());
}

TEST(RunStore, ALongSeriesOpensFromItsTables) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  SeriesRecord series;
  for (int64_t step = 0; step < 154; ++step) {
    CheckpointRecord checkpoint;
    checkpoint.step = step;
    checkpoint.label = "step" + std::to_string(step);
    checkpoint.config = std::string(2000, 'c');
    checkpoint.recipe = std::string(100000, 'r');
    for (int64_t place = 0; place < 300; ++place) {
      TensorRecord tensor;
      tensor.name = fmt::format("gpt_neox.layers.{}.attention.query_key_value.weight", place);
      tensor.shape = {768, 2304};
      tensor.digest = fmt::format("{:032x}", step * 300 + place);
      checkpoint.tensors.push_back(tensor);
    }
    series.checkpoints.push_back(checkpoint);
  }
  RunStore::create(path)->publish_series(series);
  const auto begin = std::chrono::steady_clock::now();
  const auto store = RunStore::open(path);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  RecordProperty("open_millis", std::to_string(took.count() * 1e3));
  ASSERT_EQ(store->series().checkpoints.size(), 154u);
  EXPECT_EQ(store->series().checkpoints[153].tensors[299].digest, fmt::format("{:032x}", 154 * 300 - 1));
}

}  // namespace
}  // namespace varve
