// Runs an analysis on a model folder through a store, as a user would. Header only: it needs all rooms.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "analysis/run.h"
#include "loaders/import.h"
#include "tests/support/temp_folder.h"

namespace varve {

class GoldenRun {
 public:
  explicit GoldenRun(const std::filesystem::path& source) {
    import_series(
        {.source = source, .store = temp_.path() / "s.varve", .link = true, .steps = "", .branch = ""},
        task_);
    store_ = RunStore::open(temp_.path() / "s.varve");
  }
  RunReport report(const std::string& analysis, const Probes& probes, const SettingValues& settings = {},
                   Compute compute = Compute::f32, std::vector<int64_t> steps = {}) {
    RunRequest request;
    request.analysis = analysis;
    request.settings = settings;
    request.probes = probes;
    request.compute = compute;
    request.steps = std::move(steps);
    return run_analysis(store_, request, task_);
  }
  // The first cell.
  Dataset cell(const std::string& analysis, const Probes& probes, const SettingValues& settings = {},
               Compute compute = Compute::f32) {
    return store_->result(analysis, report(analysis, probes, settings, compute).cell_keys.at(0)).value();
  }
  const std::shared_ptr<RunStore>& store() const { return store_; }

 private:
  TempFolder temp_;
  Task task_;
  std::shared_ptr<RunStore> store_;
};

// Pairs with one correct and one incorrect answer each.
inline Probes pairs_of(std::vector<std::vector<int64_t>> clean,
                       const std::vector<std::vector<int64_t>>& corrupted,
                       const std::vector<std::vector<int64_t>>& answers) {
  Probes probes;
  probes.prompts = std::move(clean);
  probes.name = "pairs";
  for (size_t i = 0; i < probes.prompts.size(); ++i)
    probes.questions.push_back(
        {corrupted.empty() ? std::vector<int64_t>{} : corrupted[i], {answers[i][0]}, {answers[i][1]}, -1});
  return probes;
}

inline std::vector<double> doubles_of(const Array& array) {
  std::vector<double> values;
  for (int64_t i = 0; i < array.size(); ++i) values.push_back(array.number(i));
  return values;
}

}  // namespace varve
