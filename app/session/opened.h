// An opened series as the window holds it: finished, const, shared between threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/core/task.h"
#include "analysis/model/spec.h"
#include "analysis/model/tokenizer.h"
#include "analysis/store/run_store.h"

namespace varve {

// One checkpoint of the branch on the rail.
struct Stop {
  int64_t step = 0;
  int64_t tokens = -1;  // -1: unknown
  double change = 0;    // relative weight change to the stop before; NaN for the first, below 0: unknown
  int64_t nonfinite = 0;
  std::string label;
};

struct LossPoint {
  int64_t step = 0;
  double nats = 0;
};

struct Opened {
  std::filesystem::path asked;  // what the user opened: a store or a source
  std::shared_ptr<RunStore> store;
  std::shared_ptr<const Tokenizer> tokenizer;  // null where the series has none or it is not supported
  std::string tokenizer_problem;
  ModelSpec spec;
  std::string branch;
  std::vector<std::string> branches;
  std::vector<Stop> stops;                         // of the branch, by step
  std::map<std::string, std::vector<Stop>> lanes;  // of every branch
  std::vector<LossPoint> loss;                     // by step; empty where there is no log
  std::string loss_name;                           // "loss", "train_loss"
  std::vector<std::string> notes;

  std::string name() const;                                            // of the series, for titles
  int64_t nearest_stop(int64_t step) const;                            // index into stops
  const std::vector<Stop>& stops_of(const std::string& branch) const;  // those of `branch`, else `stops`
  const LossPoint* loss_at(int64_t step) const;  // nearest point at or before; null where there is none
};

int64_t nearest_stop(const std::vector<Stop>& stops, int64_t step);  // index

// Opens a store; anything else is imported with links into a store under `cache` first. Throws Error,
// Stopped.
std::shared_ptr<const Opened> open_series(const std::filesystem::path& what,
                                          const std::filesystem::path& cache, Task& task);
// Imports into a store of the user's choice, then opens it.
std::shared_ptr<const Opened> import_and_open(const std::filesystem::path& source,
                                              const std::filesystem::path& store, bool link, Task& task);

// Where linked stores of foreign series go: $XDG_CACHE_HOME/varve, else ~/.cache/varve.
std::filesystem::path cache_folder();

}  // namespace varve
