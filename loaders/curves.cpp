// Which reader a source of curves belongs to.
#include "loaders/curves.h"

#include "analysis/core/error.h"
#include "loaders/published_statistics.h"
#include "loaders/sinktriad.h"

namespace varve {

bool is_curve_source(const std::filesystem::path& source) {
  return is_sinktriad(source) || !statistics_folder(source).empty();
}

Dataset read_curves(const std::filesystem::path& source) {
  if (is_sinktriad(source)) return read_sinktriad(source);
  if (!statistics_folder(source).empty()) return read_published_statistics(source);
  fail(
      "{}: neither a folder of published statistics (exp2_pythia_14m_step1000 ...) nor a JSONL log that "
      "begins "
      "with a line _meta",
      source.string());
}

}  // namespace varve
