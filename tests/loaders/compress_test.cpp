// Import with packed differences: the same tensors, less room, and a store that verifies.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "analysis/model/weights.h"
#include "analysis/study.h"
#include "loaders/import.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

// A model some steps into a run whose steps are small beside the weights.
SmallModel at_step(int64_t step) {
  SmallModel model = small_neox(1);
  for (auto& [name, tensor] : model.tensors)
    for (size_t i = 0; i < tensor.values.size(); ++i)
      tensor.values[i] *= 1 + 1e-6f * static_cast<float>(step) * static_cast<float>(i % 7);
  return model;
}

class Compress : public ::testing::Test {
 protected:
  Compress() {
    for (int64_t step = 0; step < steps; ++step)
      write_model(source_ / ("step" + std::to_string(step)), at_step(step));
  }
  ImportReport imported(const fs::path& store, bool compress) const {
    ImportRequest request;
    request.source = source_;
    request.store = store;
    request.compress = compress;
    Task task;
    return import_series(request, task);
  }

  static constexpr int64_t steps = 11;  // more than one whole tensor and its seven differences
  TempFolder folder_;
  fs::path source_ = folder_.path() / "run", plain_ = folder_.path() / "plain.varve",
           packed_ = folder_.path() / "packed.varve";
};

TEST_F(Compress, EveryTensorComesBackBitForBitAndTheStoreIsSmaller) {
  const ImportReport plain = imported(plain_, false), packed = imported(packed_, true);
  EXPECT_LT(packed.bytes_written, plain.bytes_written * 3 / 4);
  const auto a = RunStore::open(plain_), b = RunStore::open(packed_);
  ASSERT_EQ(a->series().checkpoints.size(), static_cast<size_t>(steps));
  int64_t differences = 0;
  for (size_t i = 0; i < a->series().checkpoints.size(); ++i) {
    const CheckpointRecord &one = a->series().checkpoints[i], &other = b->series().checkpoints[i];
    EXPECT_EQ(one.digest, other.digest);
    ASSERT_EQ(one.tensors.size(), other.tensors.size());
    for (size_t t = 0; t < one.tensors.size(); ++t) {
      const TensorView x = a->tensor(one.tensors[t]), y = b->tensor(other.tensors[t]);
      ASSERT_EQ(x.bytes.size(), y.bytes.size());
      EXPECT_EQ(std::memcmp(x.bytes.data(), y.bytes.data(), x.bytes.size()), 0) << one.tensors[t].name;
      differences += b->keeps_whole(other.tensors[t].digest) ? 0 : 1;
    }
  }
  EXPECT_GT(differences, 0);
}

TEST_F(Compress, WeightsReadThroughRecipesAreTheSame) {
  imported(plain_, false);
  imported(packed_, true);
  const auto a = RunStore::open(plain_), b = RunStore::open(packed_);
  const Weights one = weights_of(a, a->series().checkpoints[3]);
  const Weights other = weights_of(b, b->series().checkpoints[3]);
  // The matrix must outlive the view that it was cut from.
  const Matrix x = one.matrix("blocks.0.attn.W_Q"), y = other.matrix("blocks.0.attn.W_Q");
  std::vector<float> left(static_cast<size_t>(x.rows * x.columns)), right(left.size());
  widen_rows(x, 0, x.rows, left.data());
  widen_rows(y, 0, y.rows, right.data());
  EXPECT_EQ(left, right);
}

TEST_F(Compress, TheStoreVerifiesAndASecondImportAddsNothing) {
  imported(packed_, true);
  Task task;
  for (const StoreFinding& finding : RunStore::open(packed_)->verify(task)) ADD_FAILURE() << finding.what;
  EXPECT_EQ(imported(packed_, true).added, 0);
}

TEST_F(Compress, VerifyNamesADifferenceWhoseBytesChanged) {
  imported(packed_, true);
  int damaged = 0;
  for (const auto& file : fs::directory_iterator(packed_ / "weights")) {
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    // Payloads begin at the second page at the latest, and each is longer than 40 bytes.
    bytes.seekp(static_cast<std::streamoff>(fs::file_size(file.path()) / 2 / 4096 * 4096) + 40);
    bytes.put('\x5a');
    ++damaged;
  }
  ASSERT_GT(damaged, 1);
  Task task;
  int broken = 0;
  for (const StoreFinding& finding : RunStore::open(packed_)->verify(task)) broken += finding.broken ? 1 : 0;
  EXPECT_GE(broken, damaged);
}

}  // namespace
}  // namespace varve
