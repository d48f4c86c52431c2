// Numbers as tab-separated text, for spreadsheets and the clipboard.
#pragma once

#include <string>

#include "viz/view.h"

namespace varve {

// One row for each place of the widest array, one column for each axis and array; an array over fewer of
// these axes repeats its values. Arrays over other axes follow as blocks of their own after an empty line.
// Numbers in full, units in the heading.
std::string tsv_of(const Dataset& data);

// What a view draws, as text: "Copy table".
std::string tsv_of(const View& view, const Dataset& data, const SettingValues& options,
                   const Selection& selection);

}  // namespace varve
