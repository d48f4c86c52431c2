// Gives an SVG the same names every time: the drawing library numbers them by a counter of the whole process.
#pragma once

#include <string>

namespace varve {

std::string renumber_svg_ids(const std::string& svg);

}  // namespace varve
