// Weights in PyTorch files and others: found in model folders, alone, as one file a step, and as a run in one
// file.
#include <gtest/gtest.h>

#include "loaders/checkpoint_files.h"
#include "loaders/import.h"
#include "loaders/npy.h"
#include "loaders/series.h"
#include "loaders/weight_files.h"
#include "tests/support/expect_error.h"
#include "tests/support/pickle_writer.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

// What torch.save would write for these tensors.
std::string torch_file(const F32Tensors& tensors) {
  using namespace pickled;
  std::vector<std::pair<std::string, std::string>> items, members;
  for (const auto& [name, tensor] : tensors) {
    const std::string key = std::to_string(items.size());
    std::vector<int64_t> strides(tensor.shape.size(), 1);
    for (size_t axis = strides.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * tensor.shape[axis];
    items.emplace_back(
        name, pickled::tensor(storage("FloatStorage", key, static_cast<int64_t>(tensor.values.size())), 0,
                              tensor.shape, strides));
    members.emplace_back(
        "archive/data/" + key,
        std::string(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * 4));
  }
  members.insert(members.begin(), {"archive/data.pkl", whole(dict(items))});
  return zip_bytes(members);
}

class WeightsInFiles : public ::testing::Test {
 protected:
  void config() { write_text(root_ / "config.json", model_.config); }
  void file(const std::string& name, const std::string& content) { write_text(root_ / name, content); }
  std::string only_weights() {
    return find_series(root_).checkpoints.at(0).weights.at(0).filename().string();
  }
  OpenCheckpoint open() { return open_checkpoint(find_series(root_).checkpoints.at(0)); }
  TempFolder folder_;
  fs::path root_ = folder_.path() / "model";
  SmallModel model_ = small_neox();
};

TEST_F(WeightsInFiles, PytorchModelBinHoldsTheSameModelAsSafetensors) {
  config();
  file("pytorch_model.bin", torch_file(model_.tensors));
  const OpenCheckpoint from_torch = open();
  EXPECT_EQ(only_weights(), "pytorch_model.bin");
  file("model.safetensors", safetensors_of(model_.tensors));
  EXPECT_EQ(only_weights(), "model.safetensors");
  const OpenCheckpoint from_safetensors = open();
  ASSERT_EQ(from_torch.tensors.size(), from_safetensors.tensors.size());
  for (size_t i = 0; i < from_torch.tensors.size(); ++i)
    EXPECT_EQ(tensor_digest(from_torch.tensors[i].view), tensor_digest(from_safetensors.tensors[i].view));
}

TEST_F(WeightsInFiles, ShardsOfPytorchModelBinAreFoundThroughTheirIndex) {
  config();
  F32Tensors first, second;
  std::string map;
  for (const auto& [name, tensor] : model_.tensors) {
    const bool early = first.size() < 10;
    (early ? first : second)[name] = tensor;
    map += (map.empty() ? "\"" : ",\"") + name + "\":\"pytorch_model-0000" + (early ? "1" : "2") +
           "-of-00002.bin\"";
  }
  file("pytorch_model.bin.index.json", "{\"weight_map\":{" + map + "}}");
  file("pytorch_model-00001-of-00002.bin", torch_file(first));
  expect_error([&] { find_series(root_); }, {"pytorch_model-00002-of-00002.bin", "missing"});
  file("pytorch_model-00002-of-00002.bin", torch_file(second));
  EXPECT_EQ(open().tensors.size(), model_.tensors.size());
  // An index that names another shard than the one that holds the tensor.
  file("pytorch_model-00001-of-00002.bin", torch_file(second));
  file("pytorch_model-00002-of-00002.bin", torch_file(first));
  expect_error([&] { open(); }, {"index"});
}

TEST_F(WeightsInFiles, OneFileOfAnotherNameIsTakenButNotWhatATrainerLeavesBeside) {
  config();
  file("weights.npz", "x");
  file("training_args.bin", "x");
  file("optimizer.pt", "x");
  file("rng_state_0.pth", "x");
  EXPECT_EQ(weight_files(root_).at(0).filename(), "weights.npz");
  file("other.pt", "x");
  expect_error([&] { weight_files(root_); }, {"other.pt", "model.safetensors"});
}

TEST_F(WeightsInFiles, AFileIsASourceByItself) {
  config();
  file("step300.pt", torch_file(model_.tensors));
  const SeriesSource series = find_series(root_ / "step300.pt");
  EXPECT_EQ(series.kind, "file");
  EXPECT_EQ(series.checkpoints.at(0).step, 300);
  EXPECT_EQ(open_checkpoint(series.checkpoints.at(0)).tensors.size(), model_.tensors.size());
}

TEST_F(WeightsInFiles, AFileWithoutAConfigSaysWhatIsMissing) {
  file("net.pt", torch_file(model_.tensors));
  const SeriesSource series = find_series(root_ / "net.pt");
  expect_error([&] { open_checkpoint(series.checkpoints.at(0)); }, {"config.json", "--map"});
}

TEST_F(WeightsInFiles, OneFileAStepIsASeries) {
  config();
  for (const char* name : {"ckpt_20.pt", "ckpt_100.pt", "final.pth"}) file(name, torch_file(model_.tensors));
  const SeriesSource series = find_series(root_);
  EXPECT_EQ(series.kind, "folder of files");
  ASSERT_EQ(series.checkpoints.size(), 2u);
  EXPECT_EQ(series.checkpoints[0].step, 20);
  EXPECT_EQ(series.checkpoints[1].step, 100);
}

TEST_F(WeightsInFiles, ARunInOneFileIsASeriesAndImportsAsOne) {
  const fs::path history = VARVE_SOURCE "/tests/loaders/formats/pytorch/history.pt";
  const SeriesSource series = find_series(history);
  ASSERT_EQ(series.checkpoints.size(), 3u);
  EXPECT_EQ(series.checkpoints[2].step, 200);
  EXPECT_EQ(series.checkpoints[2].label, "history:state_dicts[2]");
  EXPECT_NE(tensor_shapes(series.checkpoints[2]).at("w"), (std::vector<int64_t>{}));
}

TEST_F(WeightsInFiles, AManifestMayNameFiles) {
  config();
  file("a.pt", torch_file(model_.tensors));
  file("series.toml", "[[checkpoint]]\npath = \"a.pt\"\nstep = 42\n");
  const SeriesSource series = find_series(root_);
  EXPECT_EQ(series.checkpoints.at(0).step, 42);
  EXPECT_EQ(open_checkpoint(series.checkpoints.at(0)).tensors.size(), model_.tensors.size());
}

TEST_F(WeightsInFiles, ImportOfPytorchAndSafetensorsGivesTheSameDigests) {
  config();
  file("pytorch_model.bin", torch_file(model_.tensors));
  Task task;
  ImportRequest request;
  request.source = root_;
  request.store = folder_.path() / "a.varve";
  import_series(request, task);
  fs::remove(root_ / "pytorch_model.bin");
  file("model.safetensors", safetensors_of(model_.tensors));
  request.store = folder_.path() / "b.varve";
  import_series(request, task);
  EXPECT_EQ(RunStore::open(folder_.path() / "a.varve")->series().checkpoints.at(0).digest,
            RunStore::open(folder_.path() / "b.varve")->series().checkpoints.at(0).digest);
}

}  // namespace
}  // namespace varve
