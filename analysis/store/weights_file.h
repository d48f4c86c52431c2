// weights/<digest>.h5: tensors of one checkpoint that no earlier file holds, each one contiguous dataset that
// begins at a page of its own, so that it can be mapped.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/store/published_file.h"
#include "analysis/store/run_store.h"
#include "analysis/store/seal.h"

namespace varve {

// What goes into a weights file for one tensor: its own bytes, or the packed difference to a base.
struct WeightsPayload {
  TensorRecord record;
  std::span<const std::byte> bytes;
  std::string base;               // digest; empty: kept whole
  std::vector<std::byte> packed;  // what `bytes` looks at where there is a base
  bool mapped = false;            // `bytes` lie in a mapped file
};

// Where a tensor lies in its weights file; kept in the file's seal, so that no reader needs HDF5.
struct WeightsEntry {
  std::string digest, name;  // the name it had in the checkpoint that brought it
  TensorType type = TensorType::f32;
  std::vector<int64_t> shape;
  int64_t offset = 0, bytes = 0;
  std::string base;  // digest of the tensor kept whole that the bytes are the packed difference to, or empty
};

struct WeightsIndex {
  Seal seal;
  std::vector<WeightsEntry> entries;
  std::vector<Stretch> stretches() const;
};

// The file is named after what it holds: its digests, sorted.
std::string weights_name(std::vector<std::string> digests);
// Written whole but not yet synced and named: publish() on what comes back does that.
std::unique_ptr<PublishedFile> write_weights(const std::filesystem::path& file,
                                             std::span<const WeightsPayload> tensors, Task& task);
WeightsIndex read_weights_index(const std::filesystem::path& file);  // throws Error; every range checked

}  // namespace varve
