// How folders, Hugging Face caches and manifests become ordered series.
#include <gtest/gtest.h>

#include <algorithm>

#include "loaders/series.h"
#include "tests/support/expect_error.h"
#include "tests/support/safetensors_writer.h"
#include "tests/support/temp_folder.h"

namespace varve {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> labels(const SeriesSource& series) {
  std::vector<std::string> all;
  for (const CheckpointSource& checkpoint : series.checkpoints) all.push_back(checkpoint.label);
  return all;
}

bool noted(const SeriesSource& series, const std::string& words) {
  return std::any_of(series.notes.begin(), series.notes.end(),
                     [&](const std::string& note) { return note.find(words) != std::string::npos; });
}

TEST(SeriesFolder, StepsAreOrderedByNumberNotByName) {
  const TempFolder folder;
  for (const char* step : {"step1000", "step2", "step16"}) write_model(folder.path() / step, small_neox());
  write_text(folder.path() / "final.pth", "x");
  write_text(folder.path() / "tokenizer_config.json", "{}");
  write_text(folder.path() / "tokenizer.json", "{}");
  write_text(folder.path() / "metrics.jsonl", "{}");
  const SeriesSource series = find_series(folder.path());
  EXPECT_EQ(series.kind, "folder of steps");
  EXPECT_EQ(labels(series), (std::vector<std::string>{"step2", "step16", "step1000"}));
  EXPECT_EQ(series.checkpoints[2].step, 1000);
  EXPECT_TRUE(noted(series, "final.pth"));
  EXPECT_TRUE(noted(series, "tokenizer_config.json"));
  EXPECT_EQ(series.tokenizer, folder.path() / "tokenizer.json");
  EXPECT_EQ(series.logs, (std::vector<fs::path>{folder.path() / "metrics.jsonl"}));
}

TEST(SeriesFolder, BranchesAreKeptApart) {
  const TempFolder folder;
  for (const char* step :
       {"stage1-step10-tokens0B", "stage2-ingredient1-step4-tokens0B", "stage1-step9-tokens0B"})
    write_model(folder.path() / step, small_neox());
  const SeriesSource series = find_series(folder.path());
  EXPECT_EQ(labels(series), (std::vector<std::string>{"stage1-step9-tokens0B", "stage1-step10-tokens0B",
                                                      "stage2-ingredient1-step4-tokens0B"}));
  EXPECT_EQ(series.checkpoints[2].branch, "stage2-ingredient1");
}

TEST(SeriesFolder, TheModelATrainerLeavesOnTopIsNoStep) {
  const TempFolder folder;
  write_model(folder.path(), small_neox());
  write_model(folder.path() / "checkpoint-500", small_neox());
  write_model(folder.path() / "checkpoint-1000", small_neox());
  write_text(folder.path() / "checkpoint-500/trainer_state.json", "{}");
  write_text(folder.path() / "checkpoint-1000/trainer_state.json", "{}");
  const SeriesSource series = find_series(folder.path());
  EXPECT_EQ(labels(series), (std::vector<std::string>{"checkpoint-500", "checkpoint-1000"}));
  EXPECT_EQ(series.logs.at(0), folder.path() / "checkpoint-1000/trainer_state.json");
}

TEST(SeriesFolder, AHalfWrittenStepIsLeftOutWithANote) {
  const TempFolder folder;
  write_model(folder.path() / "step1", small_neox());
  fs::create_directories(folder.path() / "step2");
  const SeriesSource series = find_series(folder.path());
  EXPECT_EQ(labels(series), (std::vector<std::string>{"step1"}));
  EXPECT_TRUE(noted(series, "step2"));
}

TEST(SeriesFolder, TwoNamesOfOneStepAreRefused) {
  const TempFolder folder;
  write_model(folder.path() / "step500", small_neox());
  write_model(folder.path() / "checkpoint-500", small_neox());
  expect_error([&] { find_series(folder.path()); }, {"step500", "checkpoint-500", "step 500"});
}

TEST(SeriesFolder, TokensThatTheSeriesItselfAgreesOnAreNoWarning) {
  const TempFolder folder;
  // 1 Mi tokens a step: no published rate, but the names agree; the last one does not.
  for (const char* step :
       {"step10000-tokens10B", "step20000-tokens21B", "step30000-tokens31B", "step40000-tokens60B"})
    write_model(folder.path() / step, small_neox());
  const SeriesSource series = find_series(folder.path());
  EXPECT_FALSE(noted(series, "step20000"));
  EXPECT_TRUE(noted(series, "step40000"));
}

TEST(ModelFolder, IsASeriesOfOne) {
  const TempFolder folder;
  write_model(folder.path() / "step64", small_neox());
  const SeriesSource series = find_series(folder.path() / "step64/");
  EXPECT_EQ(series.kind, "model folder");
  ASSERT_EQ(series.checkpoints.size(), 1u);
  EXPECT_EQ(series.checkpoints[0].step, 64);
  EXPECT_EQ(series.checkpoints[0].weights.size(), 1u);
}

TEST(ModelFolder, WithoutWeightsIsRefused) {
  const TempFolder folder;
  write_text(folder.path() / "config.json", "{}");
  expect_error([&] { find_series(folder.path()); }, {"no weights", "model.safetensors"});
}

TEST(ModelFolder, AnythingElseSaysWhatWasLookedForAndFound) {
  const TempFolder folder;
  write_text(folder.path() / "notes.txt", "x");
  expect_error([&] { find_series(folder.path()); }, {"step1000", "series.toml", "notes.txt"});
  expect_error([&] { find_series(folder.path() / "absent"); }, {"absent", "no such"});
  expect_error([&] { find_series(folder.path() / "notes.txt"); }, {"notes.txt", "folder"});
}

class ShardIndex : public ::testing::Test {
 protected:
  void write_index(const std::string& map) {
    write_text(folder_.path() / "config.json", small_neox().config);
    write_text(folder_.path() / "a.safetensors", safetensors_of({{"w", counted({1}, 1)}}));
    write_text(folder_.path() / "model.safetensors.index.json", "{\"weight_map\":" + map + "}");
  }
  void expect_refused(const std::string& map, const std::vector<std::string>& words) {
    write_index(map);
    expect_error([&] { find_series(folder_.path()); }, words);
  }
  TempFolder folder_;
};

TEST_F(ShardIndex, NamesItsShards) {
  write_index(R"({"w": "a.safetensors"})");
  EXPECT_EQ(find_series(folder_.path()).checkpoints[0].weights,
            (std::vector<fs::path>{fs::canonical(folder_.path() / "a.safetensors")}));
}

TEST_F(ShardIndex, AMissingShardIsNamed) {
  expect_refused(R"({"w": "a.safetensors", "v": "b.safetensors"})", {"b.safetensors", "missing"});
}

TEST_F(ShardIndex, AShardOutsideTheFolderIsRefused) {
  for (const char* path : {"../a.safetensors", "/etc/passwd", "x/../../a.safetensors", ".."})
    expect_refused("{\"w\": \"" + std::string(path) + "\"}", {"outside", path});
}

TEST_F(ShardIndex, OneThatIsNoMapIsRefused) {
  expect_refused("[]", {"weight_map"});
  expect_refused("{}", {"weight_map"});
  expect_refused("{\"w\": 5}", {"'w'"});
  expect_refused("{", {"not JSON"});
}

// A cache as it lies on disk: refs, snapshots of links, blobs, one blob a link itself.
class HubCache : public ::testing::Test {
 protected:
  void blob(const std::string& name, const std::string& content) {
    write_text(root_ / "blobs" / name, content);
  }
  void snapshot(const std::string& commit, const std::string& weights_blob) {
    fs::create_directories(root_ / "snapshots" / commit);
    fs::create_symlink("../../blobs/config", root_ / "snapshots" / commit / "config.json");
    fs::create_symlink("../../blobs/" + weights_blob, root_ / "snapshots" / commit / "model.safetensors");
  }
  void revision(const std::string& name, const std::string& commit) {
    write_text(root_ / "refs" / name, commit + "\n");
  }
  void SetUp() override {
    blob("config", small_neox().config);
    write_text(folder_.path() / "shared/1", safetensors_of(small_neox(1).tensors));
    fs::create_symlink(folder_.path() / "shared/1", root_ / "blobs/one");
    blob("two", safetensors_of(small_neox(2).tensors));
    snapshot("aaaa", "one");
    snapshot("bbbb", "two");
    snapshot("cccc", "two");
    revision("step1", "aaaa");
    revision("step20", "bbbb");
  }
  TempFolder folder_;
  fs::path root_ = folder_.path() / "models--some-lab--small-model";
};

TEST_F(HubCache, RevisionsBecomeStepsWithLinksResolvedFully) {
  const SeriesSource series = find_series(root_);
  EXPECT_EQ(series.kind, "Hugging Face cache");
  EXPECT_EQ(series.name, "some-lab/small-model");
  EXPECT_EQ(labels(series), (std::vector<std::string>{"step1", "step20"}));
  EXPECT_EQ(series.checkpoints[0].weights.at(0), fs::canonical(folder_.path() / "shared/1"));
}

TEST_F(HubCache, EqualLinkTargetsAreKnownToBeEqual) {
  revision("step30", "cccc");
  const SeriesSource series = find_series(root_);
  EXPECT_EQ(series.checkpoints.at(2).same_as, "step20");
  EXPECT_EQ(series.checkpoints.at(1).same_as, "");
}

TEST_F(HubCache, MainThatIsAStepIsNotedAndNotTakenTwice) {
  revision("main", "bbbb");
  const SeriesSource series = find_series(root_);
  EXPECT_EQ(series.checkpoints.size(), 2u);
  EXPECT_TRUE(noted(series, "'main' is step20"));
}

TEST_F(HubCache, MainThatIsNoStepIsLeftOutWithANote) {
  snapshot("dddd", "one");
  revision("main", "dddd");
  const SeriesSource series = find_series(root_);
  EXPECT_EQ(series.checkpoints.size(), 2u);
  EXPECT_TRUE(noted(series, "'main' names no step"));
}

TEST_F(HubCache, MainAloneIsTakenAsStepZero) {
  fs::remove_all(root_ / "refs");
  revision("main", "aaaa");
  const SeriesSource series = find_series(root_);
  ASSERT_EQ(series.checkpoints.size(), 1u);
  EXPECT_EQ(series.checkpoints[0].step, 0);
}

TEST_F(HubCache, RevisionNamesMayHoldSlashes) {
  revision("seed3/step50", "cccc");
  const SeriesSource series = find_series(root_);
  EXPECT_EQ(series.checkpoints.back().label, "seed3/step50");
  EXPECT_EQ(series.checkpoints.back().branch, "seed3");
  EXPECT_EQ(series.checkpoints.back().step, 50);
}

TEST_F(HubCache, ARevisionWithoutItsSnapshotIsLeftOutWithANote) {
  revision("step40", "eeee");
  revision("step50", "../../etc");
  const SeriesSource series = find_series(root_);
  EXPECT_EQ(series.checkpoints.size(), 2u);
  EXPECT_TRUE(noted(series, "step40"));
  EXPECT_TRUE(noted(series, "step50"));
}

class Manifest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_model(root_ / "runs/final", small_neox(1));
    write_model(root_ / "runs/step7", small_neox(2));
    write_model(folder_.path() / "elsewhere", small_neox(3));
  }
  SeriesSource read(const std::string& text) {
    write_text(root_ / "series.toml", text);
    return find_series(root_);
  }
  TempFolder folder_;
  fs::path root_ = folder_.path() / "manifest";
};

TEST_F(Manifest, SaysStepTokensLabelAndBranch) {
  const SeriesSource series = read(
      "name = \"mine\"\n"
      "[[checkpoint]]\npath = \"runs/final\"\nstep = 900\ntokens = 1800\nlabel = \"the end\"\n"
      "[[checkpoint]]\npath = \"runs/step7\"\n"
      "[[checkpoint]]\npath = \"../elsewhere\"\nstep = 3\nbranch = \"seed2\"\n");
  EXPECT_EQ(series.kind, "manifest");
  EXPECT_EQ(series.name, "mine");
  EXPECT_EQ(labels(series), (std::vector<std::string>{"step7", "the end", "elsewhere"}));
  EXPECT_EQ(series.checkpoints[1].step, 900);
  EXPECT_EQ(series.checkpoints[1].tokens, 1800);
  EXPECT_EQ(series.checkpoints[2].branch, "seed2");
}

TEST_F(Manifest, GivenAsAFileIsTheSame) {
  read("[[checkpoint]]\npath = \"runs/step7\"\n");
  EXPECT_EQ(find_series(root_ / "series.toml").checkpoints.at(0).step, 7);
}

TEST_F(Manifest, MistakesAreNamed) {
  const auto refuse = [&](const std::string& text, const std::vector<std::string>& words) {
    expect_error([&] { read(text); }, words);
  };
  refuse("[[checkpoint]]\npath = \"absent\"\nstep = 1\n", {"absent", "no folder"});
  refuse("[[checkpoint]]\npath = \"runs/final\"\n", {"step"});
  refuse("[[checkpoint]]\nstep = 1\n", {"path"});
  refuse("[[checkpoint]]\npath = \"runs/step7\"\nstpe = 1\n", {"stpe", "step"});
  refuse("[[checkpoint]]\npath = \"runs/step7\"\nstep = \"1\"\n", {"whole number"});
  refuse("[[checkpoint]]\npath = \"runs/step7\"\nstep = -1\n", {"whole number"});
  refuse("name = \"x\"\n", {"checkpoint"});
  refuse("[[checkpoint\n", {"line 1"});
}

TEST(TinyNeox, IsAFolderOfSixteenSteps) {
  const fs::path folder = VARVE_SHARED "/series/tiny-neox";
  if (!fs::exists(folder)) GTEST_SKIP() << "the reference series is not here: " << folder;
  const SeriesSource series = find_series(folder);
  ASSERT_EQ(series.checkpoints.size(), 16u);
  EXPECT_EQ(series.checkpoints.front().step, 0);
  EXPECT_EQ(series.checkpoints.back().step, 7000);
  EXPECT_TRUE(series.tokenizer);
  EXPECT_TRUE(noted(series, "samples.npz"));
}

}  // namespace
}  // namespace varve
