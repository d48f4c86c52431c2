// What is on screen as files: the picture as drawn, and exactly the numbers drawn.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "analysis/core/dataset.h"

namespace varve {

// One row a number: array, its axes in house order (empty where it lacks one), value.
std::string csv_of(const Dataset& data);
// The same with tabs, for pasting into a sheet; line ends and tabs within a text become spaces.
std::string tsv_of(const Dataset& data);
// By the ending: .csv or .h5. Atomic. Throws Error (usage) on any other ending.
void write_numbers(const std::filesystem::path& file, const Dataset& data);

// The committed demo series: beside the program or above it, or under $VARVE_DATASETS.
std::optional<std::filesystem::path> find_demo_series(const std::filesystem::path& program_folder);

}  // namespace varve
