// The core of a series: one lamina for each checkpoint, coloured by how much the weights moved.
#pragma once

#include <string>

#include "analysis/store/run_store.h"
#include "viz/draw/canvas.h"

namespace varve {

std::string core_picture(const SeriesRecord& series, PictureKind kind);

}  // namespace varve
