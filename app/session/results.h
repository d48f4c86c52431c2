// What a store holds, as a person looks for it: the cells of one run together, with settings, prompts, size
// and proof.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/core/dataset.h"
#include "analysis/core/settings.h"
#include "analysis/core/task.h"
#include "analysis/model/tokenizer.h"
#include "analysis/store/run_store.h"

namespace varve {

// What the checks of a run's results say together.
struct Verdict {
  int64_t checks = 0;             // distinct identities
  int64_t n = 0;                  // values compared, in all
  std::string broken;             // the first that did not hold; empty where all do
  std::vector<Check> worst = {};  // each identity once, with its worst residual
};

// The results of one analysis that share settings, prompts, precision and branch.
struct StoredRun {
  std::string analysis, version, compute, branch;
  SettingValues settings;
  std::string probes;                    // their name: "text", "repeat-random v1 seed 0"
  std::string probes_digest;             // "none" where the analysis reads no prompts
  std::string text;                      // what read_prompt makes the same prompts from
  std::map<int64_t, std::string> cells;  // step -> key
  std::string series_key;                // of what was reduced over the series; empty: there is none
  std::vector<std::string> all_series;   // of every set of steps it was reduced over
  int64_t bytes = 0, prompts = 0, tokens = 0;
  int64_t written = 0;  // seconds since 1970, of the newest
  Verdict verdict;
  bool is_current = true;  // false: written by another version of the analysis
};

std::string settings_words(const StoredRun& run);  // "top k 8, norm final"; "" where all are the defaults
std::string prompts_words(const StoredRun& run);  // "The king said", "task induction, 16 prompts"; "" without
// Settings and prompts; the prompts first where another of the same analysis has the same settings.
std::string told_apart(const StoredRun& run, const std::vector<StoredRun>& among);
// "circuit · task ioi, 16 prompts · step 7k"; "" where no result's key begins so, or with less than 6
// letters.
std::string key_words(const std::string& key, const std::vector<StoredRun>& among);
std::string badge_words(const Verdict& verdict);  // "6 checks", "last layer = model output broke"

// Reads what is new since the last look; results never change, so each is read once. For one thread at a
// time.
class ResultShelf {
 public:
  // By analysis, then newest first. Throws Stopped.
  std::vector<StoredRun> look(const RunStore& store, const Tokenizer* tokenizer, Task& task);

 private:
  struct Part {
    std::string group, weights;  // what it shares with the others of its run; digest of its checkpoint
    StoredRun of;                // with this one result in it
    std::vector<std::string> cell_keys;  // of a reduced one
  };
  const Part* read(const RunStore& store, const Tokenizer* tokenizer, const ResultInfo& info);
  std::map<std::string, Part> parts_;  // by analysis/key
};

// Out of the store and back again: what was removed lies in the store's folder `removed` until it is
// forgotten.
class Removal {
 public:
  Removal(const RunStore& store, const StoredRun& run);  // throws Error
  void undo() const;                                     // throws Error
  void forget() const;                                   // gone for good
  const std::string& words() const { return words_; }    // "16 cells of logit-lens"

 private:
  struct Moved {
    std::filesystem::path from, to;
  };
  std::vector<Moved> moved_;
  std::string words_;
};

// What was removed more than a day ago by a window that is gone.
void forget_old_removals(const RunStore& store);

}  // namespace varve
