// The text that the Pythia study of massive activations published: top-1 to top-3 and median by sequence and
// layer, one file a checkpoint.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/core/dataset.h"

namespace varve {

// Rows of printed numbers in the order of the text, `where` names it in errors. A row is what stands between
// innermost brackets; without any bracket, a line.
std::vector<std::vector<double>> printed_rows(std::string_view text, const std::string& where);

// The folder that holds files NAME_step<N>: `folder` itself or its `stats`; empty where there are none.
std::filesystem::path statistics_folder(const std::filesystem::path& folder);

Dataset read_published_statistics(const std::filesystem::path& folder);

}  // namespace varve
