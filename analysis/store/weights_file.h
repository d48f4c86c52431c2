// weights/<digest>.h5: tensors of one checkpoint that no earlier file holds, each one contiguous dataset that
// begins at a page of its own, so that it can be mapped.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/store/run_store.h"
#include "analysis/store/seal.h"

namespace varve {

// Where a tensor lies in its weights file; kept in the file's seal, so that no reader needs HDF5.
struct WeightsEntry {
  std::string digest, name;  // the name it had in the checkpoint that brought it
  TensorType type = TensorType::f32;
  std::vector<int64_t> shape;
  int64_t offset = 0, bytes = 0;
};

struct WeightsIndex {
  Seal seal;
  std::vector<WeightsEntry> entries;
  std::vector<Stretch> stretches() const;
};

// The file is named after what it holds: its digests, sorted.
std::string weights_name(std::vector<std::string> digests);
void write_weights(const std::filesystem::path& file, std::span<const RunStore::NewTensor> tensors,
                   Task& task);
WeightsIndex read_weights_index(const std::filesystem::path& file);  // throws Error; every range checked

}  // namespace varve
