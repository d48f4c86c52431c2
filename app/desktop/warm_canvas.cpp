// Draws one of everything a view is made of.
#include "app/desktop/warm_canvas.h"

#include <utility>
#include <vector>

namespace varve {

namespace {
constexpr double side =
    64;  // of the picture; what lies outside the widget is cut off, but its programs are made
}

WarmCanvas::WarmCanvas(Desk& desk, std::shared_ptr<ScreenFonts> fonts, QWidget* parent)
    : QOpenGLWidget(parent), desk_(desk), frame_(std::move(fonts)) {
  setGeometry(-static_cast<int>(side), 0, static_cast<int>(side), static_cast<int>(side));
  lower();
  setAttribute(Qt::WA_TransparentForMouseEvents);
}

WarmCanvas::~WarmCanvas() {
  if (!context()) return;
  makeCurrent();
  frame_.release();
  doneCurrent();
}

void WarmCanvas::paintGL() {
  const Theme& theme = *desk_.theme;
  frame_.draw(side, side, devicePixelRatioF(), theme.canvas, [&theme](Canvas& canvas, const Input&) {
    const std::vector<Color> colors(4, theme.accent);
    canvas.cells({0, 0, side, side}, 2, 2, colors, 1);
    canvas.fill({0, 0, 8, 8}, theme.ink);
    canvas.fill({0, 0, 8, 8}, theme.raised, 3);
    canvas.line({0, 0}, {side, side}, theme.ink, 1.75);
    const Point corners[] = {{0, 0}, {side, 0}, {side, side}};
    canvas.polyline(corners, theme.ink, 1.75);
    canvas.polygon(corners, theme.soft);
    canvas.disc({8, 8}, 3, theme.ink);
    canvas.text({0, 8}, "varve", {7.5, Face::sans}, theme.ink);
  });
}

}  // namespace varve
