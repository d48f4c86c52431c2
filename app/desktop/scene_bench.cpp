// Drives canvases as a hand would and takes the time from the event to the finished frame.
#include "app/desktop/scene_bench.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QGridLayout>
#include <QImage>
#include <QPainter>
#include <QTextStream>
#include <QWidget>
#include <algorithm>
#include <ctime>
#include <memory>
#include <vector>

#include "analysis/core/error.h"
#include "app/desktop/picture.h"
#include "viz/host/pane.h"
#include "viz/scenes.h"

namespace varve {

namespace {

constexpr int window_width = 1280, window_height = 800;

class SceneCanvas : public QWidget {
 public:
  SceneCanvas(const Scene& scene, std::shared_ptr<const Dataset> drawn, QWidget* parent)
      : QWidget(parent), data_(std::move(drawn)) {
    setAttribute(Qt::WA_OpaquePaintEvent);
    content_.view = &views().get(scene.view);
    content_.data = data_;
    content_.options = normalise(content_.view->options, scene.options, scene.view);
    content_.theme = &Theme::light();
    // As many notches of the wheel as bring the zoom nearest.
    for (double zoom = 1; zoom < scene.zoom * 0.95; zoom *= 1.2) send(InputEvent::Kind::wheel, {640, 400}, 1);
  }
  void send(InputEvent::Kind kind, Point at, double wheel = 0) {
    frame_.push({.kind = kind, .at = at, .wheel = wheel, .with_control = false, .with_shift = false});
    update();
  }
  int64_t painted() const { return painted_; }

 protected:
  void paintEvent(QPaintEvent*) override {
    frame_.draw(pixels_of(picture_, *this), devicePixelRatioF(), content_.theme->canvas,
                [this](Canvas& canvas, const Input& input) { pane_.draw(canvas, input, content_); });
    QPainter(this).drawImage(QPointF(0, 0), picture_);
    ++painted_;
  }

 private:
  std::shared_ptr<const Dataset> data_;
  PaneContent content_;
  Frame frame_;
  Pane pane_;
  QImage picture_;
  int64_t painted_ = 0;
};

struct Times {
  double median = 0, worst = 0;
  double processor = 0;  // median time of all threads together: what is left where others use the machine too
};

Times drag(QWidget& window, const std::vector<SceneCanvas*>& canvases, int frames) {
  const auto finish = [&canvases] {
    for (SceneCanvas* canvas : canvases) {
      const int64_t before = canvas->painted();
      canvas->update();
      for (int tries = 0; tries < 1000 && canvas->painted() == before; ++tries) QApplication::processEvents();
    }
  };
  for (int i = 0; i < 5; ++i) finish();  // fonts, caches, textures
  const Point start{window.width() / 4.0, window.height() / 4.0};
  for (SceneCanvas* canvas : canvases) canvas->send(InputEvent::Kind::press, start);
  finish();
  std::vector<double> times, processor;
  QElapsedTimer timer;
  for (int i = 0; i < frames; ++i) {
    const Point by = panned(i, 4, window_width);
    timer.start();
    const std::clock_t began = std::clock();
    std::vector<int64_t> before;
    for (SceneCanvas* canvas : canvases) {
      before.push_back(canvas->painted());
      canvas->send(InputEvent::Kind::move, {start.x + by.x, start.y + by.y});
    }
    const auto is_done = [&] {
      for (size_t k = 0; k < canvases.size(); ++k)
        if (canvases[k]->painted() == before[k]) return false;
      return true;
    };
    while (!is_done()) QApplication::processEvents(QEventLoop::AllEvents, 5);
    times.push_back(static_cast<double>(timer.nsecsElapsed()) / 1e6);
    processor.push_back(1e3 * static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC);
  }
  std::sort(times.begin(), times.end());
  std::sort(processor.begin(), processor.end());
  if (times.empty()) return {};
  return {times[times.size() / 2], times.back(), processor[processor.size() / 2]};
}

Times time_scene(const std::vector<const Scene*>& shown, int frames) {
  QWidget window;
  window.setWindowTitle(QStringLiteral("varve: frame times"));
  window.resize(window_width, window_height);
  auto* grid = new QGridLayout(&window);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setSpacing(4);
  std::vector<SceneCanvas*> canvases;
  for (size_t i = 0; i < shown.size(); ++i) {
    canvases.push_back(
        new SceneCanvas(*shown[i], std::make_shared<const Dataset>(shown[i]->make()), &window));
    grid->addWidget(canvases.back(), static_cast<int>(i / 2), static_cast<int>(i % 2));
  }
  window.show();
  QApplication::processEvents();
  return drag(window, canvases, frames);
}

}  // namespace

int bench_scene(const std::string& name, int frames) {
  QTextStream out(stdout);
  const auto say = [&out](const std::string& scene, const Times& times) {
    out << QString::fromStdString(
        fmt::format("{:<18} median {:6.1f} ms   worst {:6.1f} ms   processor {:6.1f} ms\n", scene,
                    times.median, times.worst, times.processor));
    out.flush();
  };
  if (name == "four" || name == "all")
    say("four canvases", time_scene({&scene_named("line-1m"), &scene_named("map-4096"),
                                     &scene_named("tiles-1024"), &scene_named("series-10k")},
                                    frames));
  for (const Scene& scene : scenes())
    if (name == "all" || name == scene.name) say(scene.name, time_scene({&scene}, frames));
  if (name != "four" && name != "all") scene_named(name);  // an unknown name is an error that lists them
  return 0;
}

}  // namespace varve
