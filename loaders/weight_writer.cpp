// New tensors of an import, whole or as packed differences to earlier checkpoints.
#include "loaders/weight_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

namespace varve {
namespace {

// Tensors of one weights file when packing: what is packed waits in memory until its file is laid out.
constexpr int64_t pack_at_once = int64_t{512} << 20;
// After so many differences a tensor is kept whole again.
constexpr int most_differences = 7;

std::string shape_mark(const TensorRecord& tensor) {
  return fmt::format("{} {} {}", tensor.name, name_of(tensor.type), fmt::join(tensor.shape, "x"));
}

}  // namespace

bool WeightWriter::holds(const std::string& digest) const {
  return written_.contains(digest) || store_.has_tensor(digest);
}

void WeightWriter::write(std::vector<RunStore::NewTensor> fresh, const CheckpointRecord& record,
                         const SeriesRecord& series, Task& task) {
  if (compress_) find_bases(fresh, record, series);
  for (size_t begin = 0; begin < fresh.size();) {
    size_t end = begin;
    int64_t bytes = 0;
    while (end < fresh.size() && (end == begin || !compress_ || bytes < pack_at_once))
      bytes += static_cast<int64_t>(fresh[end++].bytes.size());
    const auto count = static_cast<double>(fresh.size());
    Task part = task.part(static_cast<double>(begin) / count, static_cast<double>(end) / count);
    const std::vector<RunStore::NewTensor> some(fresh.begin() + static_cast<ptrdiff_t>(begin),
                                                fresh.begin() + static_cast<ptrdiff_t>(end));
    begin = end;
    std::unique_ptr<RunStore::NewWeights> file = store_.write_weights(some, part);
    if (!file) continue;
    bytes_ += file->bytes();
    files_.push_back(std::move(file));
    for (const RunStore::NewTensor& tensor : some) written_.insert(tensor.record.digest);
  }
}

// The nearest of the checkpoints before that keeps the tensor whole: one unpacking is then enough to read
// any.
void WeightWriter::find_bases(std::vector<RunStore::NewTensor>& fresh, const CheckpointRecord& record,
                              const SeriesRecord& series) {
  publish();                                                // bases are read from the store
  std::map<std::string, std::vector<std::string>> digests;  // by name and shape, nearest first
  int behind = 0;
  for (auto at = series.checkpoints.rbegin(); at != series.checkpoints.rend(); ++at) {
    if (at->branch != record.branch || at->step >= record.step) continue;
    if (++behind > most_differences) break;
    for (const TensorRecord& tensor : at->tensors) digests[shape_mark(tensor)].push_back(tensor.digest);
  }
  for (RunStore::NewTensor& tensor : fresh) {
    const std::vector<std::string>& found = digests[shape_mark(tensor.record)];
    const auto whole = std::find_if(found.begin(), found.end(),
                                    [&](const std::string& digest) { return store_.keeps_whole(digest); });
    if (whole != found.end()) tensor.base = *whole;
  }
}

void WeightWriter::publish() {
  for (const std::unique_ptr<RunStore::NewWeights>& file : files_) file->publish();
  files_.clear();
  written_.clear();
}

}  // namespace varve
