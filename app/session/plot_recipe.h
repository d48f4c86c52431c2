// A picture as a recipe: which result, which view with which options, what is selected, theme and size. The
// window exports from it, and its words make `varve plot` give the same bytes.
#pragma once

#include <string>
#include <vector>

#include "viz/view.h"

namespace varve {

struct PlotRecipe {
  std::string result;  // a file, or STORE:KEY
  // What it is set against: another result, or "step=1000" of the same; empty: nothing. The data given is
  // then what compare or difference_to made.
  std::string against;
  int64_t step = 1, against_step = 0;  // of the two results
  std::string view;
  SettingValues options;         // those that differ from the view's own are said
  Selection selection;           // axes the result lacks are left out
  std::string theme = "light";   // "light" or "dark"
  double width = 0, height = 0;  // whole pixels; 0: as the view says
  double scale = 1;              // device pixels a pixel, for png
  std::string output;            // "lens.svg"
};

// Throws Error as `varve plot` would.
std::string picture_of(const PlotRecipe& recipe, const Dataset& data);

std::vector<std::string> plot_words(const PlotRecipe& recipe, const Dataset& data);  // "varve", "plot", ...
std::string plot_line(const PlotRecipe& recipe, const Dataset& data);                // quoted for a shell

}  // namespace varve
