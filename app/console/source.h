// What a verb's STORE, MODEL_DIR or tokenizer.json argument stands for.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/model/forward.h"
#include "analysis/model/weights.h"
#include "analysis/store/run_store.h"

namespace varve {

// One checkpoint ready to be computed with, from a store or from a model folder.
struct OpenedCheckpoint {
  CheckpointRecord record;
  std::shared_ptr<const Weights> weights;
  std::string tokenizer;  // tokenizer.json text or ""
};

// Without a step: the last of the branch. Throws Error naming the steps there are.
OpenedCheckpoint open_checkpoint(const std::filesystem::path& path, std::optional<int64_t> step,
                                 const std::string& branch);

// tokenizer.json of a store, of a model folder or series, or the file itself. Throws Error where there is
// none.
std::string tokenizer_text(const std::filesystem::path& path);

// Throws Error (bad input) naming the path where nothing lies there.
void require_exists(const std::filesystem::path& path);

std::shared_ptr<RunStore> open_store(const std::filesystem::path& path);  // throws Error naming the path

// The checkpoints of one branch, in step order; throws Error naming the branches there are.
std::vector<const CheckpointRecord*> checkpoints_of(const SeriesRecord& series, const std::string& branch);

// f32, f64 or bf16. Throws Error (usage).
Compute compute_mode(const std::string& name);

}  // namespace varve
