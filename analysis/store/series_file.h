// series.h5: what the series is, as tables with one row per checkpoint and one per tensor.
#pragma once

#include <filesystem>

#include "analysis/core/dataset.h"
#include "analysis/store/run_store.h"

namespace varve {

// The tables form a Dataset, so series.h5 opens in xarray like any result. All texts lie once in the array
// `texts`; the other text columns hold rows of it.
Dataset tables_of(const SeriesRecord& series);
SeriesRecord series_of(const Dataset& tables,
                       const std::string& whose);  // throws Error; trusts no row number

SeriesRecord read_series(const std::filesystem::path& file);

}  // namespace varve
