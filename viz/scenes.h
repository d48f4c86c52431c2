// Made-up results of the sizes that the speed of views is promised for, and how a hand pans over them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "viz/view.h"

namespace varve {

struct Scene {
  std::string name;  // "line-1m"
  std::string summary;
  std::string view;
  SettingValues options;
  double zoom = 1;
  Dataset (*make)();
};
// A line of a million points, a map of 4096 x 4096, patterns of 32 x 32 heads over 2,048 tokens, 10,000
// series of 154 points.
const std::vector<Scene>& scenes();
const Scene& scene_named(const std::string& name);  // throws Error (usage) naming those there are
// Where the picture is dragged to in frame `i`: there and back, one step of a hand a frame.
Point panned(int64_t i, double zoom, double width);

}  // namespace varve
