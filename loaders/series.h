// How a folder, a Hugging Face cache repository or a manifest becomes an ordered series of checkpoints.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace varve {

struct RevisionName {
  int64_t step = -1;  // -1: the name has none
  int64_t tokens = -1;
  std::string branch = "main";  // "stage2-ingredient1"
  std::string note;             // a mismatch of step and tokens, kept as a warning
};
// Names of peers.md 4.2: step1000, step5000-tokens20B, stage1-step.., checkpoint-500, global_step10, step_20,
// epoch=1-step=30, ckpt_003, ... nullopt where it is no checkpoint name (`final.pth`).
std::optional<RevisionName> parse_revision(const std::string& name);

struct NetworkMap;

struct CheckpointSource {
  std::string label;
  int64_t step = 0;
  int64_t tokens = -1;
  std::string branch = "main";
  std::filesystem::path folder;                // holds config.json
  std::vector<std::filesystem::path> weights;  // files to open (index resolved), links resolved
  int64_t part = 0;                            // which of several checkpoints in one file
  std::shared_ptr<const NetworkMap> map{};     // describes the network in the place of config.json
  std::string same_as;  // label of an earlier checkpoint whose link targets are all equal
};

struct SeriesSource {
  std::string name;
  std::string
      kind;  // "model folder", "folder of steps", "Hugging Face cache", "manifest", "file", "folder of files"
  std::filesystem::path root;
  std::vector<CheckpointSource> checkpoints;  // by branch, then step
  std::optional<std::filesystem::path>
      tokenizer;  // of the series' top folder, else of the first checkpoint that has one
  std::vector<std::filesystem::path> logs;  // metrics.jsonl, trainer_state.json
  std::vector<std::string> notes;
};

// Throws Error saying what was looked for and what to try.
// With a map, folders need no config.json: the map describes the network of every checkpoint.
SeriesSource find_series(const std::filesystem::path& source,
                         std::shared_ptr<const NetworkMap> map = nullptr);

}  // namespace varve
