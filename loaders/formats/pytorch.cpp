// Reads what torch.save writes: today's zip archives and the older row of pickles. Nothing in them is ever
// run.
//
// Zip layout: NAME/data.pkl, the pickle, and NAME/data/KEY, the bytes of each storage, stored and never
// packed; NAME/byteorder says "little" where it is there. Older layout, all numbers little endian:
//   1. five pickles: a magic number, version 1001, facts of the machine that wrote it, the object, the keys
//   of
//      its storages in order
//   2. per storage: 8 bytes, the count of its elements, then the elements
#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "analysis/core/error.h"
#include "analysis/core/mapped_file.h"
#include "loaders/format.h"
#include "loaders/pickle/tensors.h"
#include "loaders/pickle/unpickler.h"
#include "loaders/zip_archive.h"

namespace varve {
namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The 10 bytes of torch's magic number, least first.
constexpr std::string_view magic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
constexpr std::string_view legacy_begin("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);

class ZippedFile : public TensorFile {
 public:
  explicit ZippedFile(const std::filesystem::path& path)
      : file_(path), archive_(text_of(file_.bytes()), path.string()), placer_(file_.bytes()) {
    const ZipMember& object = object_member(path.string());
    folder_ = object.name.substr(0, object.name.size() - std::string_view("data.pkl").size());
    if (archive_.find(folder_ + "constants.pkl"))
      fail("{}: a TorchScript archive, which holds code; save the model's state_dict() instead",
           path.string());
    if (const ZipMember* order = archive_.find(folder_ + "byteorder");
        order && order->size < 100 && archive_.read(*order) != "little")
      fail(
          "{}: was written in {} byte order; only little-endian files are read. Load and save it again on a "
          "common machine",
          path.string(), printable(archive_.read(*order)));
    if (!object.stored) pickle_ = archive_.read(object);
    if (object.stored) archive_.check(object);
    tree_ = read_pickle(object.stored ? archive_.stored(object) : pickle_, path.string());
    parts_ = pickled_parts(
        tree_, [this](const StorageName& name, const std::string& what) { return storage(name, what); },
        placer_, path.string(), path.stem().string());
    if (file_.bytes().size() <= zip_checked_at_once) archive_.check_stored([](int64_t) {});
  }
  const std::vector<FilePart>& parts() const override { return parts_; }
  void check_bytes(const std::function<void(int64_t)>& passed) const override {
    if (file_.bytes().size() > zip_checked_at_once) archive_.check_stored(passed);
  }

 private:
  const ZipMember& object_member(const std::string& where) const {
    const ZipMember* found = nullptr;
    for (const ZipMember& member : archive_.members()) {
      const size_t slash = member.name.find('/');
      const std::string_view name(member.name);
      if (name != "data.pkl" && (slash == std::string::npos || name.substr(slash) != "/data.pkl")) continue;
      if (found) fail("{}: holds both '{}' and '{}'; one object is expected", where, found->name, name);
      found = &member;
    }
    if (!found) fail("{}: a zip archive without data.pkl, so torch.save did not write it", where);
    return *found;
  }

  std::span<const std::byte> storage(const StorageName& name, const std::string& what) {
    const ZipMember* member = archive_.find(folder_ + "data/" + name.key);
    if (!member) fail("{}: its storage '{}' is not in the archive", what, printable(name.key));
    if (member->size != name.bytes)
      fail("{}: its storage '{}' should have {} bytes and has {}; the file is damaged", what,
           printable(name.key), name.bytes, member->size);
    if (member->stored) return std::as_bytes(std::span(archive_.stored(*member)));
    // Packed anew by another program: unpacked once, whoever shares it.
    const auto [unpacked, fresh] = unpacked_.try_emplace(name.key);
    if (fresh) unpacked->second = archive_.read(*member);
    return std::as_bytes(std::span(unpacked->second));
  }

  MappedFile file_;
  ZipArchive archive_;
  PickleTree tree_{""};  // NumPy arrays in it may have their bytes there
  TensorPlacer placer_;
  std::string folder_;                           // "archive/"
  std::string pickle_;                           // where it is packed
  std::map<std::string, std::string> unpacked_;  // by key
  std::vector<FilePart> parts_;
};

class LegacyFile : public TensorFile {
 public:
  explicit LegacyFile(const std::filesystem::path& path) : file_(path), placer_(file_.bytes()) {
    const std::string where = path.string();
    std::string_view rest = text_of(file_.bytes());
    const PickleTree number = read_next_pickle(rest, where);
    if (number.kind(number.root) != PickleKind::large_integer || number.text(number.root) != magic)
      fail("{}: does not begin with PyTorch's magic number, so torch.save did not write it", where);
    const PickleTree version = read_next_pickle(rest, where);
    if (version.kind(version.root) != PickleKind::integer || version.integer(version.root) != 1001)
      fail("{}: PyTorch's older format in a version that is not known; 1001 is read", where);
    refuse_big_endian(read_next_pickle(rest, where), where);
    tree_ = read_next_pickle(rest, where);
    const PickleTree keys = read_next_pickle(rest, where);
    read_storages(tree_, keys, rest, where);
    parts_ = pickled_parts(
        tree_, [this](const StorageName& name, const std::string& what) { return storage(name, what); },
        placer_, where, path.stem().string());
  }
  const std::vector<FilePart>& parts() const override { return parts_; }
  void check_bytes(const std::function<void(int64_t)>&) const override {}  // there are no checksums

 private:
  static void refuse_big_endian(const PickleTree& facts, const std::string& where) {
    const std::span<const PickleId> items = facts.items(facts.root);
    for (size_t i = 0; i + 1 < items.size(); i += 2)
      if (facts.text(items[i]) == "little_endian" && facts.kind(items[i + 1]) == PickleKind::boolean &&
          facts.integer(items[i + 1]) == 0)
        fail("{}: was written in big-endian byte order; only little-endian files are read", where);
  }

  void read_storages(const PickleTree& object, const PickleTree& keys, std::string_view rest,
                     const std::string& where) {
    std::map<std::string, StorageName> named;
    for (PickleId id = 0; id < object.size(); ++id) {
      if (object.kind(id) != PickleKind::storage) continue;
      if (object.items(id).size() > 5 && object.kind(object.items(id)[5]) != PickleKind::none)
        fail(
            "{}: a storage that is a view of another, as PyTorch wrote before version 0.4, is not read; load "
            "and save it again with a newer PyTorch",
            where);
      const StorageName name = storage_name(object, id, where);
      const auto [other, fresh] = named.emplace(name.key, name);
      if (!fresh && (other->second.type != name.type || other->second.bytes != name.bytes))
        fail("{}: storage '{}' is described in two ways; the file is damaged", where, printable(name.key));
    }
    if (!keys.is_sequence(keys.root)) fail("{}: the list of storages is damaged", where);
    for (const PickleId key : keys.items(keys.root)) {
      const auto found = named.find(std::string(keys.text(key)));
      if (keys.kind(key) != PickleKind::text || found == named.end())
        fail("{}: the list of storages names one that no tensor has; the file is damaged", where);
      const StorageName& name = found->second;
      uint64_t count = 0;
      const size_t head = std::min<size_t>(8, rest.size());
      for (size_t i = 0; i < head; ++i)
        count |= static_cast<uint64_t>(static_cast<unsigned char>(rest[i])) << (8 * i);
      const auto size = static_cast<uint64_t>(element_size(name.type, where));
      if (head < 8 || count != name.bytes / size || name.bytes > rest.size() - 8)
        fail("{}: storage '{}' of {} bytes is not wholly there; was the file cut short?", where,
             printable(name.key), name.bytes);
      if (!storages_.emplace(name.key, rest.substr(8, name.bytes)).second)
        fail("{}: storage '{}' is listed twice; the file is damaged", where, printable(name.key));
      rest.remove_prefix(8 + name.bytes);
    }
    if (!rest.empty()) fail("{}: {} bytes follow the last storage; refused", where, rest.size());
  }

  std::span<const std::byte> storage(const StorageName& name, const std::string& what) const {
    const auto found = storages_.find(name.key);
    if (found == storages_.end())
      fail("{}: its storage '{}' is not in the file; was it cut short?", what, printable(name.key));
    return std::as_bytes(std::span(found->second));
  }

  MappedFile file_;
  PickleTree tree_{""};  // NumPy arrays in it may have their bytes there
  TensorPlacer placer_;
  std::map<std::string, std::string_view> storages_;
  std::vector<FilePart> parts_;
};

bool begins_as_zip(std::string_view bytes) { return bytes.starts_with("PK\3\4"); }

// A zip with a data.pkl one folder down; the directory's last stretch names it.
bool looks_like_pytorch(const std::filesystem::path& path) {
  const MappedFile file(path);
  const std::string_view bytes = text_of(file.bytes());
  return bytes.starts_with(legacy_begin) ||
         (begins_as_zip(bytes) && bytes.substr(0, 512).find("data.pkl") != std::string_view::npos);
}

std::unique_ptr<TensorFile> open_pytorch(const std::filesystem::path& path) {
  bool zipped = false, legacy = false;
  {
    const MappedFile file(path);
    const std::string_view bytes = text_of(file.bytes());
    if (bytes.size() > 262 && bytes.substr(257, 5) == "ustar")
      fail("{}: PyTorch's oldest format, a tar archive, is not read; load and save it again", path.string());
    zipped = begins_as_zip(bytes);
    legacy = bytes.starts_with(legacy_begin);
  }
  if (zipped) return std::make_unique<ZippedFile>(path);
  if (legacy) return std::make_unique<LegacyFile>(path);
  // Other programs pickle arrays under these endings, too.
  return formats().get("pickle").open(path);
}

}  // namespace

void add_pytorch(FormatCatalog& catalog) {
  catalog.add({.name = "pytorch",
               .summary = "PyTorch's .pt, .pth, .bin and .ckpt, zip or older; read as data, nothing is run",
               .endings = {".pt", ".pth", ".bin", ".ckpt"},
               .recognises = looks_like_pytorch,
               .open = open_pytorch});
}

}  // namespace varve
