// Reads a Dataset back, from its table and never through HDF5: a seal can be computed by anyone, and the HDF5
// library does not survive what a hostile file may hold.
#include "analysis/core/dataset.h"
#include "analysis/core/mapped_file.h"
#include "analysis/store/dataset_parts.h"
#include "analysis/store/run_store.h"

namespace varve {

Dataset read_sealed_dataset(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) fail("{}: there is no such file", file.string());
  const Seal seal = read_seal(file);
  check_body(file, seal, {});
  const h5::Summary summary = h5::read_summary(seal.note, file.string());
  if (summary.table_bytes == 0)
    fail("{}: an earlier varve wrote it, without the table that is read now", file.string());
  const MappedFile mapped(file);
  const std::span<const std::byte> bytes = mapped.bytes();
  if (static_cast<int64_t>(bytes.size()) < seal.body_bytes) fail("{}: it was cut short", file.string());
  return h5::read_table({reinterpret_cast<const char*>(bytes.data()), static_cast<size_t>(seal.body_bytes)},
                        summary.table_bytes, file.string());
}

Dataset read_dataset(const std::filesystem::path& file) {
  try {
    return read_sealed_dataset(file);
  } catch (const Error& error) {
    if (!std::filesystem::exists(file)) throw;
    throw Error(error.blame(),
                fmt::format("{}. Delete it and run again; nothing else depends on it.", error.what()));
  }
}

}  // namespace varve
