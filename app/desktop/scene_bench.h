// Times the views on screen: the hidden `--scene NAME --frames N`.
#pragma once

#include <string>

namespace varve {

// Opens a window of 1280 x 800, drags a large made-up result there and back and prints the times of its
// frames; "all" goes through every scene, "four" shows four at once. Needs a QApplication. Answers the exit
// code.
int bench_scene(const std::string& name, int frames);

}  // namespace varve
