// An analysis to run, as the words of a command line or of a recipe say it, and what is said when it has run.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/run.h"
#include "app/console/json_text.h"
#include "app/console/probe_options.h"
#include "app/verbs/verb.h"

namespace varve {

struct RunWords {
  std::string analysis, steps, branch = "main", compute = "f32";
  std::filesystem::path store, output;
  std::vector<std::string> settings, inputs;  // "top_k=3", "groups=samples.npz:domain"
  ProbeOptions probes;
};

// Reads the tables and results that words like "metric=demo.varve:3f9a1c" name.
Inputs read_inputs(const std::vector<std::string>& words);

// What can be wrong before any file is read: the analysis, its settings, the names of its inputs, the
// precision. Throws Error (usage).
void check_words(const RunWords& words);

// Throws Error where the words do not fit the series.
RunRequest run_request(const RunWords& words, const SeriesRecord& series, Inputs inputs,
                       const Console& console);

// The result of the series, or the folder of its cells.
std::string result_path(const RunStore& store, const std::string& analysis, const RunReport& report);

Json report_json(const RunStore& store, const std::string& analysis, const RunReport& report);
std::string report_text(const RunStore& store, const std::string& analysis, const RunReport& report);
int64_t failed_checks(const RunReport& report);

}  // namespace varve
