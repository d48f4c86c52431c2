// Frame times of views while a hand pans over large results: offscreen, into a picture of 1280 x 800.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "viz/cache.h"
#include "viz/scenes.h"

namespace varve {
namespace {

void pan_over(benchmark::State& state, const Scene& scene) {
  constexpr double width = 1280, height = 800;
  const auto data = std::make_shared<const Dataset>(scene.make());
  const View& view = views().get(scene.view);
  ViewCache cache;
  cache.use(data);
  const auto canvas = make_picture(PictureKind::png, width, height, 1, Theme::light().canvas);
  Look look;
  look.theme = &Theme::light();
  look.area = {0, 0, width, height};
  look.zoom = scene.zoom;
  look.cache = &cache;
  view.draw(*data, scene.options, {}, look, *canvas);  // what is made once is not what panning costs
  int64_t frame = 0;
  std::vector<double> millis;
  for (auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    cache.next_frame();
    look.pan = panned(frame++, scene.zoom, width);
    canvas->fill(look.area, Theme::light().canvas);
    const Drawn drawn = view.draw(*data, scene.options, {}, look, *canvas);
    benchmark::DoNotOptimize(drawn.header.size());
    millis.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  std::sort(millis.begin(), millis.end());
  state.counters["median ms"] = millis[millis.size() / 2];
  state.counters["worst ms"] = millis.back();
  state.counters["kept MB"] = static_cast<double>(cache.bytes()) / 1e6;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  for (const varve::Scene& scene : varve::scenes())
    benchmark::RegisterBenchmark(scene.name.c_str(),
                                 [&scene](benchmark::State& state) { varve::pan_over(state, scene); })
        ->Unit(benchmark::kMillisecond)
        ->Iterations(240);  // there and back, twice
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
