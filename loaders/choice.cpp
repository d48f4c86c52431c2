// Which checkpoints of a source an import takes, and under which branch.
#include "loaders/choice.h"

#include <algorithm>
#include <map>

#include "analysis/core/error.h"
#include "analysis/core/text.h"

namespace varve {

std::vector<CheckpointSource> chosen(const ImportRequest& request, const SeriesSource& series) {
  std::vector<CheckpointSource> checkpoints = series.checkpoints;
  if (!request.steps.empty()) {
    std::vector<int64_t> existing;
    for (const CheckpointSource& checkpoint : checkpoints) existing.push_back(checkpoint.step);
    std::sort(existing.begin(), existing.end());
    existing.erase(std::unique(existing.begin(), existing.end()), existing.end());
    const std::vector<int64_t> steps = parse_steps(request.steps, existing);
    std::erase_if(checkpoints, [&](const CheckpointSource& checkpoint) {
      return !std::binary_search(steps.begin(), steps.end(), checkpoint.step);
    });
  }
  if (request.branch.empty()) return checkpoints;
  std::map<int64_t, std::string> labels;
  for (CheckpointSource& checkpoint : checkpoints) {
    checkpoint.branch = request.branch;
    const auto [found, fresh] = labels.emplace(checkpoint.step, checkpoint.label);
    if (!fresh)
      fail_usage("--branch {} would give '{}' and '{}' the same place, step {}; choose some with --steps",
                 request.branch, found->second, checkpoint.label, checkpoint.step);
  }
  std::sort(checkpoints.begin(), checkpoints.end(),
            [](const CheckpointSource& a, const CheckpointSource& b) { return a.step < b.step; });
  return checkpoints;
}

}  // namespace varve
