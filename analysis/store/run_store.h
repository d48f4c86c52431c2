// The run store: one folder NAME.varve holding a series, its weights and its results. The only room that says
// HDF5.
//
//   series.h5                    what the series is (tables below), replaced by rename
//   weights/<digest>.h5          tensors of one checkpoint that no earlier file holds
//   results/<analysis>/<key>.h5  one Dataset, a netCDF-4 readable file
//   logs/                        imported training curves
//   .tmp-*                       leftovers of a kill: ignored, swept on import
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "analysis/core/task.h"

namespace varve {

// How a tensor's bytes are read. bf16 and f16 stay as they are until a kernel widens them.
enum class TensorType : uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };
std::string_view name_of(TensorType type);  // "f32", "bf16" ...
int64_t size_of(TensorType type);

// One tensor's bytes where they lie, without a copy; valid as long as what handed it out.
struct TensorView {
  TensorType type = TensorType::f32;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;
  bool mapped = false;  // they lie in a mapped file: their pages may leave memory once read
  std::shared_ptr<const std::vector<std::byte>> owned =
      nullptr;  // where they were unpacked and lie nowhere else
  int64_t count() const;
};

// 32 hex digits over type, shape and bytes: a tensor's name in every store. `verify` recomputes it.
std::string tensor_digest(const TensorView& tensor);

struct TensorRecord {
  std::string name;  // as its source had it
  TensorType type = TensorType::f32;
  std::vector<int64_t> shape;
  std::string digest;     // 32 hex digits over type, shape and bytes
  int64_t nonfinite = 0;  // NaN and infinite entries
  // Linked stores: where the bytes lie. Empty path: in weights/.
  std::string link_path;
  int64_t link_offset = 0;
  int64_t link_file_bytes = -1;  // size of that file when it was linked; -1: publish_series looks it up
};

struct CheckpointRecord {
  int64_t step = 0;
  int64_t tokens = -1;  // -1: unknown
  std::string branch = "main";
  std::string label;   // "step5000-tokens20B", as the source named it
  std::string source;  // the path it was imported from
  std::string config;  // config.json as it was
  std::string spec;    // ModelSpec as JSON
  std::string recipe;  // TensorRecipe as JSON
  std::string digest;  // over all tensor names and digests, spec and recipe
  int64_t bytes = 0;
  int64_t nonfinite = 0;
  double change =
      -1;  // relative weight change to the predecessor on its branch: |w - w'| / |w'|; NaN for the first
  std::vector<TensorRecord> tensors;
};

struct SeriesRecord {
  std::string name;
  std::string tokenizer;  // tokenizer.json as it was; empty where there is none
  std::vector<std::string> notes;
  std::vector<CheckpointRecord> checkpoints;  // by branch, then step
};

struct ResultInfo {
  std::string analysis, key, title;
  int64_t bytes = 0;
  std::map<std::string, std::string> provenance;
};

struct StoreFinding {
  std::string what;  // "weights/ab12.h5: tensor 'x' has digest ..., recorded as ..."
  bool broken = true;
};

class PublishedFile;

class RunStore {
 public:
  static bool is_store(const std::filesystem::path& folder);
  static std::shared_ptr<RunStore> create(
      const std::filesystem::path& folder);  // fails where something else lies there
  static std::shared_ptr<RunStore> open(const std::filesystem::path& folder);  // throws Error
  ~RunStore();

  const std::filesystem::path& folder() const;
  const SeriesRecord& series() const;  // as it was when opened or last refreshed
  void refresh();                      // reads series.h5 again if it was replaced

  // The bytes of a tensor, mapped. For a linked tensor the source's size and, on first use in this process,
  // digest are checked: a changed source is an Error. Thread-safe; views stay valid while the store lives.
  TensorView tensor(const TensorRecord& record) const;
  // Where a tensor lies in mapped files, unread and unchecked, packed or not: to say what will be read soon
  // or may leave memory.
  std::vector<std::span<const std::byte>> stored(const TensorRecord& record) const;

  // Import: one writer at a time. Holding the lock waits for another import, saying for whom through
  // task.note.
  class ImportLock;
  std::unique_ptr<ImportLock> lock_for_import(Task& task);
  bool has_tensor(const std::string& digest) const;
  bool keeps_whole(const std::string& digest) const;  // held, and not as a difference
  struct NewTensor {
    TensorRecord record;
    std::span<const std::byte> bytes;
    // A tensor of the same type and shape that this store keeps whole: where that saves a tenth or more, only
    // the packed difference to it is kept. Empty: kept whole.
    std::string base{};
    bool mapped = false;  // as in TensorView
  };
  // Writes those tensors whose digest the store does not hold yet into one new weights file, which is
  // published atomically by publish(): later than the writing, so that the disk works while the next
  // checkpoint is read. Unpublished it leaves nothing behind. nullptr where the store holds all of them.
  class NewWeights;
  std::unique_ptr<NewWeights> write_weights(const std::vector<NewTensor>& tensors, Task& task);
  void add_weights(const std::vector<NewTensor>& tensors, Task& task);  // write_weights and publish
  void publish_series(const SeriesRecord& series);                      // atomic

  // Results. Any number of processes at once. Publishing an existing key is a no-op.
  std::filesystem::path result_path(const std::string& analysis, const std::string& key) const;
  bool has_result(const std::string& analysis, const std::string& key) const;
  std::optional<Dataset> result(const std::string& analysis,
                                const std::string& key) const;  // Error where damaged
  void publish_result(const std::string& analysis, const std::string& key, const Dataset& result);
  std::vector<ResultInfo> results() const;  // sorted by analysis, then key; damaged files are left out

  // Training curves kept beside the series: name -> Dataset with axis `row` (coordinate step).
  void publish_log(const std::string& name, const Dataset& log);
  std::vector<std::pair<std::string, Dataset>> logs() const;

  // Every promise of the store checked: files open, digests recomputed, tables consistent, links unchanged.
  std::vector<StoreFinding> verify(Task& task) const;
  void sweep();  // removes temporaries of processes that are gone

 private:
  RunStore();
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

class RunStore::NewWeights {
 public:
  NewWeights(std::unique_ptr<PublishedFile> file, int64_t bytes);
  ~NewWeights();
  void publish();
  int64_t bytes() const { return bytes_; }  // of tensors, as they lie in the file

 private:
  friend class RunStore;
  std::unique_ptr<PublishedFile> file_;
  int64_t bytes_ = 0;
};

class RunStore::ImportLock {
 public:
  ~ImportLock();
  ImportLock(const ImportLock&) = delete;

 private:
  friend class RunStore;
  explicit ImportLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// A Dataset as one netCDF-4 readable file; the writer publishes atomically.
void write_dataset(const std::filesystem::path& file, const Dataset& data);
Dataset read_dataset(const std::filesystem::path& file);  // throws Error, never trusts a size

// What `varve trace` writes: one dataset per site at the root, `prompt` first, short prompts NaN-filled, plus
// tokens and lengths. Streams: begin with names and shapes, then write prompt by prompt, so that no site is
// held whole.
class TraceFile {
 public:
  explicit TraceFile(const std::filesystem::path& file);
  ~TraceFile();  // without publish() nothing is left behind
  void declare(const std::string& site, const std::vector<std::string>& axes,
               const std::vector<int64_t>& shape);
  // values [rows of this prompt ...] are laid at the start of the prompt's slab, the rest stays NaN.
  void write(const std::string& site, int64_t prompt, const std::vector<int64_t>& shape,
             std::span<const float> values);
  void write(const std::string& site, int64_t prompt, const std::vector<int64_t>& shape,
             std::span<const double> values);
  void add(const std::string& name, const Array& array);
  void attribute(const std::string& name, const std::string& value);
  void publish();

 private:
  struct Inner;
  std::unique_ptr<Inner> inner_;
};

}  // namespace varve
