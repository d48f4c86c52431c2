// Frame times of the canvases on screen: bench_scenes [SCENE|four|all] [FRAMES].
#include <QApplication>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "app/desktop/scene_bench.h"

int main(int argc, char** argv) {
  QApplication application(argc, argv);
  try {
    return varve::bench_scene(argc > 1 ? argv[1] : "all", argc > 2 ? std::atoi(argv[2]) : 120);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_scenes: %s\n", error.what());
    return 2;
  }
}
