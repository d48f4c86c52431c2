// Keys explained from the provenance of results.
#include "app/session/why.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <set>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

// A series' key is made of its cells' keys as well, which are recorded beside the other parts.
std::map<std::string, std::string> key_parts_of(const ResultInfo& result) {
  const auto recorded = result.provenance.find("key_parts");
  if (recorded == result.provenance.end())
    fail("{} {}: the result does not say what its key is made of", result.analysis, result.key);
  const nlohmann::json json = nlohmann::json::parse(recorded->second, nullptr, false);
  if (!json.is_object()) fail("{} {}: what its key is made of is damaged", result.analysis, result.key);
  std::map<std::string, std::string> parts;
  for (const auto& [name, value] : json.items())
    parts[name] = value.is_string() ? value.get<std::string>() : value.dump();
  for (const char* const name : {"analysis", "cells"})
    if (const auto found = result.provenance.find(name); found != result.provenance.end())
      parts.emplace(name, found->second);
  return parts;
}

WhyReport why_of(const RunStore& store, const ResultInfo& result) {
  WhyReport report;
  report.parts = key_parts_of(result);
  std::map<std::string, std::set<std::string>> values;
  for (const ResultInfo& other : store.results()) {
    if (other.analysis != result.analysis || other.key == result.key) continue;
    ++report.others;
    for (const auto& [name, value] : key_parts_of(other)) values[name].insert(value);
  }
  for (const auto& [name, others] : values) {
    const auto own = report.parts.find(name);
    if (own == report.parts.end() || others.size() > 1 || others.count(own->second) == 0)
      report.differ_in.push_back(name);
  }
  return report;
}

std::vector<WhyRow> rows_of(const WhyReport& report) {
  std::vector<WhyRow> rows;
  for (const auto& [name, value] : report.parts) {
    if (name != "cells") {
      rows.push_back({name, value});
      continue;
    }
    // "step:key step:key": a line each. Older results named the keys alone.
    for (const std::string& cell : split(value, ' ')) {
      const size_t colon = cell.find(':');
      if (cell.empty()) continue;
      rows.push_back(
          {colon == std::string::npos ? "cell" : fmt::format("cell of step {}", cell.substr(0, colon)),
           cell.substr(colon == std::string::npos ? 0 : colon + 1)});
    }
  }
  return rows;
}

std::string siblings_sentence(const WhyReport& report, const std::string& analysis) {
  if (report.others == 0) return fmt::format("The store holds no other result of {}.", analysis);
  return fmt::format(
      "The {} other results of {} differ from this one or from each other in: {}.", report.others, analysis,
      report.differ_in.empty() ? "nothing recorded" : fmt::format("{}", fmt::join(report.differ_in, ", ")));
}

}  // namespace varve
