// What a result's key is made of, and in which of these parts its siblings differ: for `varve why` and the
// window.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analysis/store/run_store.h"

namespace varve {

struct WhyReport {
  std::map<std::string, std::string>
      parts;                           // "weights" -> digest; a series' key has the keys of its cells too
  int64_t others = 0;                  // results of the same analysis
  std::vector<std::string> differ_in;  // parts in which they differ from this one or from each other
};

// Throws Error where the result does not say what its key is made of.
std::map<std::string, std::string> key_parts_of(const ResultInfo& result);
WhyReport why_of(const RunStore& store, const ResultInfo& result);

struct WhyRow {
  std::string part, value;
};
std::vector<WhyRow> rows_of(const WhyReport& report);  // a line for each cell of a series
std::string siblings_sentence(const WhyReport& report, const std::string& analysis);

}  // namespace varve
