// Reads NumPy's npz archives as tensors: a zip whose members are npy files, in place where they are stored.
#include <deque>
#include <memory>
#include <set>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "loaders/format.h"
#include "loaders/npy_header.h"
#include "loaders/zip_archive.h"

namespace varve {
namespace {

constexpr std::string_view ending = ".npy";

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

class NpzFile : public TensorFile {
 public:
  explicit NpzFile(const std::filesystem::path& path)
      : file_(path), archive_(text_of(file_), path.string()), placer_(file_.bytes()) {
    std::set<std::string> names;
    for (const ZipMember& member : archive_.members()) {
      std::string name = member.name;
      if (name.ends_with(ending)) name.resize(name.size() - ending.size());
      const std::string what = fmt::format("{}: array '{}'", path.string(), name);
      if (!names.insert(name).second) fail("{} is there twice; the file is damaged", what);
      if (!member.stored) unpacked_.push_back(archive_.read(member));
      const std::string_view bytes = member.stored ? archive_.stored(member) : unpacked_.back();
      parts_.front().tensors.push_back(placer_.place(name, read_npy_tensor(bytes, what), what));
    }
    if (file_.bytes().size() <= zip_checked_at_once) archive_.check_stored([](int64_t) {});
  }
  const std::vector<FilePart>& parts() const override { return parts_; }
  void check_bytes(const std::function<void(int64_t)>& passed) const override {
    if (file_.bytes().size() > zip_checked_at_once) archive_.check_stored(passed);
  }

 private:
  MappedFile file_;
  ZipArchive archive_;
  TensorPlacer placer_;
  std::deque<std::string> unpacked_;
  std::vector<FilePart> parts_{1};
};

// A zip whose first member is named as an array.
bool looks_like_npz(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string_view bytes = text_of(file);
  if (bytes.size() < 30 || !bytes.starts_with("PK\3\4")) return false;
  const size_t length =
      static_cast<unsigned char>(bytes[26]) | static_cast<size_t>(static_cast<unsigned char>(bytes[27])) << 8;
  return bytes.substr(30, length).ends_with(ending);
}

}  // namespace

void add_npz(FormatCatalog& catalog) {
  catalog.add({.name = "npz",
               .summary = "NumPy archives of arrays, stored or packed",
               .endings = {".npz"},
               .recognises = looks_like_npz,
               .open = [](const std::filesystem::path& path) -> std::unique_ptr<TensorFile> {
                 return std::make_unique<NpzFile>(path);
               }});
}

}  // namespace varve
