// A file format: lists the tensors of one checkpoint file and hands out their bytes where they lie.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "analysis/core/catalog.h"
#include "analysis/store/run_store.h"

namespace varve {

struct FileTensor {
  std::string name;
  TensorView view;     // valid while the TensorFile lives
  int64_t offset = 0;  // where the bytes begin in the file; -1 where they are not there as they are
};

// One set of weights in a file. A file that holds a training run has several.
struct FilePart {
  std::string label;  // where it lies in the file: "model", "checkpoints[3]", "1000"; empty: the whole file
  int64_t step = -1;  // where the file says it
  std::vector<FileTensor> tensors;
  std::vector<std::string> notes;  // what else lies there and is left out
  std::string config{};     // what the file itself says of the network, as config.json would; empty: nothing
  std::string tokenizer{};  // as tokenizer.json; empty: none
};

class TensorFile {
 public:
  virtual ~TensorFile() = default;
  virtual const std::vector<FilePart>& parts() const = 0;  // in order of the file; at least one
  // Reads all bytes the file has a checksum for, where opening it has not. `passed` is told how many bytes it
  // had; it may throw Stopped. Throws Error naming what is damaged.
  virtual void check_bytes(const std::function<void(int64_t bytes)>& passed) const = 0;

  // Of a file with one set of weights. Throws Error where it has several.
  const std::vector<FileTensor>& tensors() const;
};

struct Format {
  std::string name;  // "safetensors"
  std::string summary;
  std::vector<std::string> endings;                              // ".safetensors"
  std::function<bool(const std::filesystem::path&)> recognises;  // by its first bytes
  std::function<std::unique_ptr<TensorFile>(const std::filesystem::path&)>
      open;  // throws Error; trusts nothing
};

using FormatCatalog = Catalog<Format>;
void add_all_formats(FormatCatalog& catalog);  // generated
const FormatCatalog& formats();

}  // namespace varve
