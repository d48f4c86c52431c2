// How an import's new tensors reach the store: written at once, published together with the series later, so
// that the disk works while the next checkpoint is read.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/store/run_store.h"

namespace varve {

class WeightWriter {
 public:
  WeightWriter(RunStore& store, bool compress) : store_(store), compress_(compress) {}

  bool holds(const std::string& digest) const;  // written here, or in the store
  // `fresh` are tensors of `record`; `series` is looked at for earlier ones of the same name and shape.
  void write(std::vector<RunStore::NewTensor> fresh, const CheckpointRecord& record,
             const SeriesRecord& series, Task& task);
  void publish();  // from here on the store holds them
  int64_t bytes_written() const { return bytes_; }

 private:
  void find_bases(std::vector<RunStore::NewTensor>& fresh, const CheckpointRecord& record,
                  const SeriesRecord& series);

  RunStore& store_;
  bool compress_;
  std::vector<std::unique_ptr<RunStore::NewWeights>> files_;  // not yet on the disk for certain
  std::set<std::string> written_;                             // digests in them
  int64_t bytes_ = 0;
};

}  // namespace varve
