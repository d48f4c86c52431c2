// The catalogue of analyses, filled once from the shelf.
#include "analysis/analysis.h"

#include <algorithm>

#include "analysis/core/error.h"

namespace varve {

bool has_reduce(const Analysis& analysis) { return analysis.reduce || analysis.reduce_with; }

bool makes_cells(const Analysis& analysis, const Inputs& inputs) {
  return (analysis.begin || !analysis.cells_of.empty()) &&
         std::none_of(analysis.inputs.begin(), analysis.inputs.end(),
                      [&](const InputInfo& one) { return one.replaces_cells && inputs.contains(one.name); });
}

void check_inputs(const Analysis& analysis, const Inputs& inputs) {
  std::vector<std::string> names;
  for (const InputInfo& one : analysis.inputs) names.push_back(one.name);
  for (const auto& [name, data] : inputs) {
    const std::string& given = name;
    if (names.empty()) fail_usage("analysis {} takes no inputs, so '{}' has no place", analysis.name, given);
    if (std::none_of(analysis.inputs.begin(), analysis.inputs.end(),
                     [&given](const InputInfo& one) { return is_for(one, given); }))
      fail_usage("analysis {} has no input '{}'; did you mean '{}'?", analysis.name, given,
                 nearest(given, names));
  }
  for (const InputInfo& one : analysis.inputs)
    if (one.needed && std::none_of(inputs.begin(), inputs.end(),
                                   [&one](const auto& given) { return is_for(one, given.first); }))
      fail_usage("analysis {} needs the input '{}': {}. Give it with --with {}=FILE.", analysis.name,
                 one.name, one.help, one.name);
}

const AnalysisCatalog& analyses() {
  static const AnalysisCatalog catalog = [] {
    AnalysisCatalog filled("analysis");
    add_all_analyses(filled);
    return filled;
  }();
  return catalog;
}

}  // namespace varve
