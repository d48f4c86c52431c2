// Import: the only place where format, family, series and store meet.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "analysis/core/task.h"
#include "analysis/model/tokenizer.h"
#include "analysis/model/weights.h"
#include "analysis/store/run_store.h"
#include "loaders/series.h"

namespace varve {

struct ImportRequest {
  std::filesystem::path source{}, store{};
  bool link = false;      // leave weights where they are
  bool compress = false;  // keep weights as packed differences to earlier checkpoints where that saves room
  std::string steps{};    // LIST; empty: all
  std::string branch{};   // name for everything imported; empty: as the source says
  std::filesystem::path map{};  // describes the network of files without a config.json; empty: none
};

struct ImportReport {
  int64_t added = 0, already = 0;  // checkpoints
  int64_t bytes_read = 0, bytes_written = 0, tensors_shared = 0;
  std::vector<std::string> notes;
};

// Adds to an existing store what it does not hold yet. Throws Error, Stopped; what was published before
// stays.
ImportReport import_series(const ImportRequest& request, Task& task);

// A source looked at without writing anything: `varve info SOURCE`, and trace on a bare model folder.
struct OpenedModel {
  CheckpointRecord checkpoint;  // without digests
  std::shared_ptr<Weights> weights;
  std::string tokenizer;  // tokenizer.json text or ""
};
OpenedModel open_model(const SeriesSource& series, const CheckpointSource& checkpoint);

// metrics.jsonl (one JSON object a line) and trainer_state.json -> axis `row`, coordinate step, one array a
// number.
Dataset read_log(const std::filesystem::path& file);

}  // namespace varve
