// Reads plain pickles of NumPy arrays: a dict of arrays, perhaps nested, and nothing that would have to be
// run.
#include <memory>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "loaders/format.h"
#include "loaders/pickle/tensors.h"
#include "loaders/pickle/unpickler.h"

namespace varve {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class PickleFile : public TensorFile {
 public:
  explicit PickleFile(const std::filesystem::path& path)
      : file_(path), tree_(read_pickle(text_of(file_.bytes()), path.string())), placer_(file_.bytes()) {
    const FindStorage none = [](const StorageName&, const std::string& what) -> std::span<const std::byte> {
      fail("{}: a PyTorch tensor without its storage; was this pickle taken out of a .pt file?", what);
    };
    parts_ = pickled_parts(tree_, none, placer_, path.string(), path.stem().string());
  }
  const std::vector<FilePart>& parts() const override { return parts_; }
  void check_bytes(const std::function<void(int64_t)>&) const override {}  // there are no checksums

 private:
  MappedFile file_;
  PickleTree tree_;  // arrays whose bytes were written as text lie in it
  TensorPlacer placer_;
  std::vector<FilePart> parts_;
};

// Protocol 2 and later begin with it; older ones could be any text.
bool looks_like_pickle(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  return bytes.size() > 2 && bytes[0] == std::byte{0x80} && bytes[1] <= std::byte{5} &&
         bytes[1] >= std::byte{2};
}

}  // namespace

void add_pickle(FormatCatalog& catalog) {
  catalog.add({.name = "pickle",
               .summary = "Python pickles of NumPy arrays, read as data: nothing in them is ever run",
               .endings = {".pkl", ".pickle"},
               .recognises = looks_like_pickle,
               .open = [](const std::filesystem::path& path) -> std::unique_ptr<TensorFile> {
                 return std::make_unique<PickleFile>(path);
               }});
}

}  // namespace varve
