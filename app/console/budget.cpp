// --max-memory as a number, and what --dry-run prints.
#include "app/console/budget.h"

#include <fmt/format.h>

#include "analysis/core/error.h"
#include "analysis/core/pool.h"
#include "analysis/core/text.h"
#include "app/console/table.h"

namespace varve {

int64_t budget_of(const Console& console) {
  return console.max_memory.empty() ? 0 : parse_bytes(console.max_memory);
}

void fit_threads(const Console& console, const std::function<void()>& plan) {
  const int asked = threads();
  while (true) try {
      plan();
      break;
    } catch (const Error& error) {
      if (error.blame() != Blame::budget || console.threads > 0 || threads() == 1) throw;
      set_threads((threads() + 1) / 2);
    }
  if (threads() < asked)
    console.remark(fmt::format("{} of {} threads are used, to stay within --max-memory {}", threads(), asked,
                               console.max_memory));
}

Json estimate_json(const Estimate& estimate, int64_t budget) {
  return {{"cells_cached", estimate.cells_cached},
          {"cells_to_compute", estimate.cells_to_compute},
          {"passes_per_cell", estimate.passes},
          {"bytes_to_read", estimate.bytes_to_read},
          {"flops", estimate.flops},
          {"peak_bytes", estimate.peak_bytes},
          {"max_memory", budget > 0 ? Json(budget) : Json()},
          {"seconds", estimate.seconds},
          {"flops_per_second", estimate.speed.flops},
          {"read_bytes_per_second", estimate.speed.read_bytes}};
}

std::string estimate_text(const Estimate& estimate, int64_t budget) {
  if (estimate.cells_to_compute == 0)
    return fmt::format("All {} cells are in the store; nothing would be computed.", estimate.cells_cached);
  TextTable table({"what", ">estimate", "how"});
  table.row({"cells to compute", show_count(estimate.cells_to_compute),
             fmt::format("{} are in the store", show_count(estimate.cells_cached))});
  table.row({"weights to read", show_bytes(estimate.bytes_to_read),
             fmt::format("{} pass{} for each cell", estimate.passes, estimate.passes == 1 ? "" : "es")});
  table.row({"arithmetic", fmt::format("{} GFLOP", show_number(estimate.flops / 1e9)),
             fmt::format("{} GFLOP/s measured", show_number(estimate.speed.flops / 1e9))});
  table.row({"peak memory", show_bytes(estimate.peak_bytes),
             budget > 0 ? fmt::format("within --max-memory {}", show_bytes(budget))
                        : std::string("no --max-memory was given")});
  table.row({"time", show_seconds(estimate.seconds),
             estimate.speed.read_bytes > 0
                 ? fmt::format("weights were read at {}/s",
                               show_bytes(static_cast<int64_t>(estimate.speed.read_bytes)))
                 : std::string("reading was not measured")});
  return table.text() + "\nNothing was computed or written (--dry-run).";
}

}  // namespace varve
