// Frame times of views while a hand pans over large results: offscreen, into a picture of 1280 x 800.
#include <benchmark/benchmark.h>

#include <memory>

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
  for (auto _ : state) {
    cache.next_frame();
    look.pan = panned(frame++, scene.zoom, width);
    canvas->fill(look.area, Theme::light().canvas);
    const Drawn drawn = view.draw(*data, scene.options, {}, look, *canvas);
    benchmark::DoNotOptimize(drawn.header.size());
  }
  state.counters["kept MB"] = static_cast<double>(cache.bytes()) / 1e6;
}

}  // namespace
}  // namespace varve

int main(int argc, char** argv) {
  for (const varve::Scene& scene : varve::scenes())
    benchmark::RegisterBenchmark(scene.name.c_str(),
                                 [&scene](benchmark::State& state) { varve::pan_over(state, scene); })
        ->Unit(benchmark::kMillisecond)
        ->MinTime(0.5);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
