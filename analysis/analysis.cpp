// The catalogue of analyses, filled once from the shelf.
#include "analysis/analysis.h"

namespace varve {

const AnalysisCatalog& analyses() {
  static const AnalysisCatalog catalog = [] {
    AnalysisCatalog filled("analysis");
    add_all_analyses(filled);
    return filled;
  }();
  return catalog;
}

}  // namespace varve
