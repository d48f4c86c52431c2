// Every tensor the store holds or links to, by digest, mapped on first use.
#include "analysis/store/weights_shelf.h"

#include "analysis/core/error.h"
#include "analysis/store/packed.h"
#include "analysis/store/published_file.h"
#include "analysis/store/tensor_bytes.h"

namespace varve {

namespace fs = std::filesystem;

fs::path link_target(const fs::path& store, const TensorRecord& record) {
  const fs::path path = record.link_path;
  return path.is_absolute() ? path : store / path;
}

void fail_changed(const fs::path& source, const TensorRecord& record, const std::string& found) {
  fail("{}: it changed since it was imported (tensor '{}': {}). Import it again, or without --link.",
       source.string(), record.name, found);
}

void check_link_size(const fs::path& source, const TensorRecord& record) {
  std::error_code error;
  const auto size = static_cast<int64_t>(fs::file_size(source, error));
  if (error)
    fail(
        "{}: the file that holds the linked tensor '{}' is not there ({}). Bring it back, or import the "
        "series again without --link.",
        source.string(), record.name, error.message());
  const int64_t bytes = bytes_needed(record.type, record.shape, source.string());
  if (record.link_file_bytes >= 0 && size != record.link_file_bytes)
    fail_changed(source, record, fmt::format("{} bytes then, {} now", record.link_file_bytes, size));
  if (record.link_offset < 0 || bytes > size || record.link_offset > size - bytes)
    fail_changed(source, record, "it now ends before the tensor does");
}

void WeightsShelf::scan() {
  std::error_code error;
  std::set<std::string> names;
  for (fs::directory_iterator entry(folder(), error), end; !error && entry != end; entry.increment(error)) {
    const fs::path& file = entry->path();
    if (file.extension() == ".h5" && !is_temporary(file)) names.insert(file.filename().string());
  }
  for (const std::string& name : names) {
    if (seen_.contains(name)) continue;
    try {
      for (WeightsEntry& tensor : read_weights_index(folder() / name).entries)
        places_.try_emplace(tensor.digest, Place{name, tensor.type, std::move(tensor.shape), tensor.offset,
                                                 tensor.bytes, tensor.base});
      seen_.insert(name);
      damaged_.erase(name);
    } catch (const Error& damage) {
      // Told when one of its tensors is asked for; a new import may replace the file, so it is not `seen`.
      damaged_[name] = damage.what();
    }
  }
}

const WeightsShelf::Place* WeightsShelf::find(const std::string& digest) {
  auto place = places_.find(digest);
  if (place == places_.end()) {
    scan();  // another process may have published it since
    place = places_.find(digest);
  }
  return place == places_.end() ? nullptr : &place->second;
}

bool WeightsShelf::holds(const std::string& digest) {
  const std::lock_guard lock(mutex_);
  return find(digest) != nullptr;
}

bool WeightsShelf::keeps_whole(const std::string& digest) {
  const std::lock_guard lock(mutex_);
  const Place* place = find(digest);
  return place && place->base.empty();
}

std::span<const std::byte> WeightsShelf::mapped(const fs::path& file) {
  std::unique_ptr<MappedFile>& place = mapped_[file.string()];
  if (!place) place = std::make_unique<MappedFile>(file);
  return place->bytes();
}

TensorView WeightsShelf::link_of(const TensorRecord& record) {
  const fs::path source = link_target(store_, record);
  const int64_t bytes = bytes_needed(record.type, record.shape, source.string());
  check_link_size(source, record);
  std::span<const std::byte> all;
  {
    const std::lock_guard lock(mutex_);
    all = mapped(source);
  }
  if (static_cast<int64_t>(all.size()) < record.link_offset + bytes)
    fail_changed(source, record, "it now ends before the tensor does");
  return {record.type, record.shape,
          all.subspan(static_cast<size_t>(record.link_offset), static_cast<size_t>(bytes)), true};
}

TensorView WeightsShelf::linked(const TensorRecord& record) {
  const TensorView view = link_of(record);
  const fs::path source = link_target(store_, record);
  const std::string mark = fmt::format("{} {} {}", source.string(), record.link_offset, record.digest);
  {
    const std::lock_guard lock(mutex_);
    if (verified_links_.contains(mark)) return view;
  }
  // Outside the lock: two threads may compare the same tensor once each, but none waits for another's.
  if (tensor_digest(view) != record.digest) fail_changed(source, record, "its bytes differ");
  const std::lock_guard lock(mutex_);
  verified_links_.insert(mark);
  return view;
}

// The bytes as they lie in a weights file, and the base that they are a difference to.
std::span<const std::byte> WeightsShelf::held(const TensorRecord& record, std::string& base) {
  const std::lock_guard lock(mutex_);
  const Place* place = find(record.digest);
  if (!place) {
    std::string damage;
    for (const auto& [name, reason] : damaged_) damage += fmt::format(" Damaged: {}.", reason);
    fail(
        "{}: no weights file holds the tensor '{}' ({}).{} Import the series again; what is still there is "
        "not copied twice.",
        folder().string(), record.name, record.digest, damage);
  }
  const fs::path file = folder() / place->file;
  if (place->type != record.type || place->shape != record.shape)
    fail("{}: the tensor '{}' has another type or shape here than in series.h5", file.string(), record.name);
  const std::span<const std::byte> all = mapped(file);
  if (static_cast<int64_t>(all.size()) < place->offset + place->bytes)
    fail("{}: it was cut short after it was opened. Import the series again.", file.string());
  base = place->base;
  return all.subspan(static_cast<size_t>(place->offset), static_cast<size_t>(place->bytes));
}

TensorView WeightsShelf::unpacked(const TensorRecord& record, const std::string& base,
                                  std::span<const std::byte> packed) {
  {
    const std::lock_guard lock(mutex_);
    if (auto known = unpacked_[record.digest].lock())
      return {record.type, record.shape, *known, false, known};
  }
  TensorRecord whole = record;
  whole.digest = base;
  std::string none;
  const std::span<const std::byte> base_bytes = held(whole, none);
  const std::string whose =
      fmt::format("{}: tensor '{}' ({})", folder().string(), record.name, record.digest);
  if (!none.empty()) fail("{}: its base {} is a difference itself", whose, base);
  const auto bytes =
      std::make_shared<const std::vector<std::byte>>(unpack(record.type, packed, base_bytes, whose));
  for (const std::span<const std::byte> read : {packed, base_bytes}) done_with(read);
  const TensorView view{record.type, record.shape, *bytes, false, bytes};
  const std::lock_guard lock(mutex_);
  unpacked_[record.digest] = bytes;
  return view;
}

TensorView WeightsShelf::view(const TensorRecord& record) {
  if (!record.link_path.empty()) return linked(record);
  std::string base;
  const std::span<const std::byte> bytes = held(record, base);
  if (!base.empty()) return unpacked(record, base, bytes);
  return {record.type, record.shape, bytes, true};
}

std::vector<std::span<const std::byte>> WeightsShelf::stored(const TensorRecord& record) {
  if (!record.link_path.empty()) return {link_of(record).bytes};
  std::string base, none;
  const std::span<const std::byte> bytes = held(record, base);
  if (base.empty()) return {bytes};
  TensorRecord whole = record;
  whole.digest = base;
  return {bytes, held(whole, none)};
}

}  // namespace varve
