// Files cut short or changed at random places: an error or the right answer, never a crash or a wrong answer.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "analysis/core/error.h"
#include "analysis/core/text.h"
#include "analysis/store/run_store.h"
#include "tests/store/sample_data.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

constexpr int damages = 300;
constexpr int64_t read_limit = int64_t{1} << 30;

void put(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

// Every third is cut short, every third has a flipped bit, every third a stretch of random bytes.
std::string damaged(std::string bytes, int kind, std::mt19937& random) {
  const size_t place = random() % bytes.size();
  if (kind % 3 == 0) return bytes.substr(0, place);
  if (kind % 3 == 1) {
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << (random() % 8)));
    return bytes;
  }
  for (size_t at = place; at < std::min(bytes.size(), place + 16); ++at)
    bytes[at] = static_cast<char>(random());
  return bytes;
}

TEST(Damage, ADamagedDatasetIsAnErrorOrAsItWas) {
  const TempFolder folder;
  const auto path = folder.path() / "a.h5";
  const Dataset data = sample_dataset();
  write_dataset(path, data);
  const std::string whole = read_file(path, read_limit);
  std::mt19937 random(1);
  int errors = 0;
  for (int kind = 0; kind < damages; ++kind) {
    put(path, damaged(whole, kind, random));
    try {
      EXPECT_TRUE(read_dataset(path).same_values(data));
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos);
      ++errors;
    }
  }
  EXPECT_GT(errors, damages * 9 / 10);
}

TEST(Damage, ADamagedSeriesFileIsAnErrorThatNamesIt) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  import_samples(*RunStore::create(path), {0, 10});
  const auto file = path / "series.h5";
  const std::string whole = read_file(file, read_limit);
  std::mt19937 random(2);
  for (int kind = 0; kind < damages; ++kind) {
    const std::string bytes = damaged(whole, kind, random);
    if (bytes == whole) continue;
    put(file, bytes);
    try {
      RunStore::open(path);
      ADD_FAILURE() << "damage " << kind << " went unseen";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos) << error.what();
    }
  }
}

TEST(Damage, ADamagedWeightsFileIsFoundByVerify) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  import_samples(*RunStore::create(path), {0});
  const auto file = std::filesystem::directory_iterator(path / "weights")->path();
  const std::string whole = read_file(file, read_limit);
  const SampleCheckpoint sample = sample_checkpoint(0);
  std::mt19937 random(3);
  for (int kind = 0; kind < damages; ++kind) {
    const std::string bytes = damaged(whole, kind, random);
    if (bytes == whole) continue;
    put(file, bytes);
    const auto store = RunStore::open(path);
    EXPECT_GT(count_broken(*store), 0) << kind;
    for (const TensorRecord& tensor : sample.record.tensors) {
      try {
        int64_t sum = 0;  // reading every byte must be possible wherever a view is handed out
        for (std::byte byte : store->tensor(tensor).bytes) sum += static_cast<int64_t>(byte);
        EXPECT_GE(sum, 0);
      } catch (const Error&) {
        continue;
      }
    }
  }
}

TEST(Damage, AnImportReplacesAWeightsFileThatWasCutShort) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  import_samples(*RunStore::create(path), {0});
  const auto file = std::filesystem::directory_iterator(path / "weights")->path();
  std::filesystem::resize_file(file, 5000);
  EXPECT_THROW(RunStore::open(path)->tensor(sample_checkpoint(0).record.tensors[0]), Error);
  const auto store = RunStore::open(path);
  import_samples(*store, {0});
  EXPECT_EQ(count_broken(*store), 0);
  EXPECT_TRUE(
      same_bytes(store->tensor(sample_checkpoint(0).record.tensors[0]).bytes, sample_checkpoint(0).bytes[0]));
}

TEST(Damage, AResultCutShortCountsAsAbsentAndIsReplaced) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  store->publish_result("sample", "k1", sample_dataset());
  std::filesystem::resize_file(store->result_path("sample", "k1"), 700);
  EXPECT_FALSE(store->has_result("sample", "k1"));
  EXPECT_TRUE(store->results().empty());
  EXPECT_EQ(count_broken(*store), 1);
  store->publish_result("sample", "k1", sample_dataset());
  EXPECT_TRUE(store->result("sample", "k1")->same_values(sample_dataset()));
}

TEST(Damage, VerifyFindsAResultUnderAForeignKey) {
  const TempFolder folder;
  const auto store = RunStore::create(folder.path() / "a.varve");
  store->publish_result("sample", "k1", sample_dataset());
  std::filesystem::rename(store->result_path("sample", "k1"), store->result_path("sample", "k2"));
  EXPECT_EQ(count_broken(*store), 1);
}

TEST(Damage, VerifyFindsAMissingWeightsFile) {
  const TempFolder folder;
  const auto path = folder.path() / "a.varve";
  import_samples(*RunStore::create(path), {0});
  std::filesystem::remove(std::filesystem::directory_iterator(path / "weights")->path());
  EXPECT_EQ(count_broken(*RunStore::open(path)), 4);
}

}  // namespace
}  // namespace varve
