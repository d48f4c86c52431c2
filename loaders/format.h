// A file format: lists the tensors of one checkpoint file and hands out their bytes where they lie.
#pragma once

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

class TensorFile {
 public:
  virtual ~TensorFile() = default;
  virtual const std::vector<FileTensor>& tensors() const = 0;
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
