// Sources that a map describes: one file, files and folders by step, a manifest; into a store and out of it.
#include <gtest/gtest.h>

#include "loaders/import.h"
#include "loaders/map.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/site_values.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

const std::string map_text = R"(
[model]
heads = 1
d_model = 4
vocab = 5
mlp = false
norm = "none"
[tensors]
"embed.W_E" = "emb"
"blocks.0.attn.W_Q" = "q"
"blocks.0.attn.W_K" = "k"
"blocks.0.attn.W_V" = "v"
"blocks.0.attn.W_O" = "o"
"unembed.W_U" = "out"
)";

std::string file_of(double seed) {
  F32Tensors all;
  all["emb"] = counted({5, 4}, seed);
  all["out"] = counted({5, 4}, seed);
  for (const char* name : {"q", "k", "v", "o"}) all[name] = counted({4, 4}, seed);
  return safetensors_of(all);
}

class MapImport : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string text = map_text;
    text.insert(text.find("heads"), "layers = 1\n");
    write_text(map_, text);
  }
  SeriesSource found(const std::filesystem::path& source) {
    return find_series(source, std::make_shared<NetworkMap>(read_map(map_)));
  }
  TempFolder folder_;
  std::filesystem::path map_ = folder_.path() / "net.toml", run_ = folder_.path() / "run";
};

TEST_F(MapImport, OneFileIsACheckpoint) {
  write_text(run_ / "final.safetensors", file_of(1));
  EXPECT_EQ(found(run_ / "final.safetensors").checkpoints.size(), 1u);
  EXPECT_EQ(found(run_).checkpoints.size(), 1u);
}

TEST_F(MapImport, FoldersByStepNeedNoConfig) {
  write_text(run_ / "step10" / "model.safetensors", file_of(1));
  write_text(run_ / "step20" / "model.safetensors", file_of(2));
  const SeriesSource series = found(run_);
  ASSERT_EQ(series.checkpoints.size(), 2u);
  EXPECT_EQ(series.checkpoints.at(1).step, 20);
  expect_error([&] { find_series(run_); }, {"config.json"});
}

TEST_F(MapImport, AManifestMayNameFiles) {
  write_text(run_ / "a.safetensors", file_of(1));
  write_text(run_ / "b.safetensors", file_of(2));
  write_text(run_ / "series.toml",
             "[[checkpoint]]\npath = \"a.safetensors\"\nstep = 1\n[[checkpoint]]\npath = "
             "\"b.safetensors\"\nstep = 2\n");
  EXPECT_EQ(found(run_).checkpoints.at(1).step, 2);
}

TEST_F(MapImport, AStoreComputesWhatTheFilesDo) {
  write_text(run_ / "ckpt_10.safetensors", file_of(0.1));
  write_text(run_ / "ckpt_20.safetensors", file_of(0.2));
  ImportRequest request{.source = run_, .store = folder_.path() / "out.varve"};
  request.map = map_;
  Task task;
  EXPECT_EQ(import_series(request, task).added, 2);
  EXPECT_EQ(import_series(request, task).already, 2);
  const auto store = RunStore::open(request.store);
  const CheckpointRecord& record = store->series().checkpoints.at(1);
  EXPECT_EQ(record.step, 20);
  EXPECT_EQ(spec_from_json(record.spec).family, "map");
  EXPECT_NE(record.config.find("unembed.W_U"), std::string::npos);  // the map itself is kept
  const Weights stored(spec_from_json(record.spec), recipe_from_json(record.recipe),
                       [&](const std::string& name) {
                         for (const TensorRecord& tensor : record.tensors)
                           if (tensor.name == name)
                             return RawTensor{RawType::f32, tensor.shape, store->tensor(tensor).bytes};
                         fail("no tensor {}", name);
                       });
  const SeriesSource series = found(run_);
  const OpenedModel direct = open_model(series, series.checkpoints.at(1));
  const std::vector<std::vector<int64_t>> prompts = {{1, 4, 2}};
  EXPECT_EQ(seen_sites(stored, prompts, {"logits"})("logits"),
            seen_sites(*direct.weights, prompts, {"logits"})("logits"));
}

TEST_F(MapImport, ADraftIsMadeFromAnySourceThatHasWeights) {
  write_text(run_ / "model.safetensors", file_of(1));
  const std::string draft = draft_map(run_);
  EXPECT_NE(draft.find("\"embed.W_E\" = \"emb\""), std::string::npos) << draft;
  EXPECT_NE(draft.find("d_model = 4"), std::string::npos) << draft;
}

TEST_F(MapImport, AMapThatDoesNotFitNamesItself) {
  write_text(run_ / "model.safetensors", file_of(1));
  write_text(map_, map_text);
  const SeriesSource series = found(run_);
  expect_error([&] { open_model(series, series.checkpoints.at(0)); }, {"net.toml", "{layer}", "[model]"});
  expect_error([&] { read_map(run_ / "none.toml"); }, {"none.toml", "--map-template"});
}

}  // namespace
}  // namespace varve
