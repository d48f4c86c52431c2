// Reads one NumPy array as one tensor, named after its file (layout in loaders/npy_header.cpp).
#include <memory>

#include "analysis/core/mapped_file.h"
#include "loaders/format.h"
#include "loaders/npy_header.h"

namespace varve {
namespace {

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

class NpyFile : public TensorFile {
 public:
  explicit NpyFile(const std::filesystem::path& path) : file_(path), placer_(file_.bytes()) {
    parts_.front().tensors.push_back(
        placer_.place(path.stem().string(), read_npy_tensor(text_of(file_), path.string()), path.string()));
  }
  const std::vector<FilePart>& parts() const override { return parts_; }
  void check_bytes(const std::function<void(int64_t)>&) const override {}  // there are no checksums

 private:
  MappedFile file_;
  TensorPlacer placer_;
  std::vector<FilePart> parts_{1};
};

}  // namespace

void add_npy(FormatCatalog& catalog) {
  catalog.add({.name = "npy",
               .summary = "one NumPy array, named after its file",
               .endings = {".npy"},
               .recognises =
                   [](const std::filesystem::path& path) {
                     const MappedFile file(path);
                     return text_of(file).starts_with(npy_magic);
                   },
               .open = [](const std::filesystem::path& path) -> std::unique_ptr<TensorFile> {
                 return std::make_unique<NpyFile>(path);
               }});
}

}  // namespace varve
