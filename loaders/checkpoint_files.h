// One checkpoint of a source, opened: its files, its tensors by name, its config and what its family makes of
// them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "loaders/family.h"
#include "loaders/format.h"
#include "loaders/series.h"

namespace varve {

struct OpenTensor {
  std::string name;
  TensorView view;  // into the mapped file
  std::filesystem::path file;
  int64_t offset = 0;
};

struct OpenCheckpoint {
  CheckpointSource source;
  std::string config;  // config.json as it is
  FamilyReading reading;
  std::vector<OpenTensor> tensors;  // by name
  int64_t bytes = 0;                // of all tensors
  std::vector<std::unique_ptr<TensorFile>> files;

  const OpenTensor* find(const std::string& name) const;
};

// Maps the files and reads their tables and the config, no weights. Throws Error naming the file.
OpenCheckpoint open_checkpoint(const CheckpointSource& source);

// Names and shapes alone, whatever network they belong to.
TensorShapes tensor_shapes(const CheckpointSource& source);

// What makes a checkpoint this one and no other: its files with all links resolved, and the part of them.
// Labels need not be distinct.
std::vector<std::filesystem::path> files_of(const CheckpointSource& source);

// Checks whatever checksums the files carry, but for those in `checked`, and adds them there. `passed` is
// called now and then and may throw Stopped. Throws Error naming what is damaged.
void check_bytes(const OpenCheckpoint& checkpoint, std::set<std::filesystem::path>& checked,
                 const std::function<void()>& passed);

// tokenizer.json as it is, or what stands for it in a GGUF file; empty where that has none of a kind that is
// read.
std::string read_tokenizer(const std::filesystem::path& path);

// By its ending, else by its first bytes. Throws Error naming the formats there are.
std::unique_ptr<TensorFile> open_tensor_file(const std::filesystem::path& path);

}  // namespace varve
