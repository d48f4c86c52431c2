// A view on screen.
#include "app/desktop/view_canvas.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <utility>

#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {
constexpr int tip_delay_millis = 120;
constexpr double wheel_units_per_notch = 120;
}  // namespace

ViewCanvas::ViewCanvas(Desk& desk, QWidget* parent) : QOpenGLWidget(parent), desk_(desk) {
  choose = [this](const std::map<std::string, int64_t>& at) { desk_.session->select(at); };
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(160, 120);
  rest_.setSingleShot(true);
  rest_.setInterval(tip_delay_millis);
  connect(&rest_, &QTimer::timeout, this, [this] {
    frame_.rest();
    update();
  });
}

ViewCanvas::~ViewCanvas() {
  if (!context()) return;
  makeCurrent();
  frame_.release();
  doneCurrent();
}

void ViewCanvas::show_content(PaneContent content) {
  if (content.view != content_.view) pane_.fit();
  content_ = std::move(content);
  frame_.push(
      {.kind = InputEvent::Kind::leave, .at = {}, .wheel = 0, .with_control = false, .with_shift = false});
  if (underMouse()) {
    const QPointF at = mapFromGlobal(QCursor::pos());
    push(InputEvent::Kind::move, at, Qt::NoModifier);
  }
  update();
}

void ViewCanvas::paintGL() {
  std::optional<std::map<std::string, int64_t>> clicked;
  frame_.draw(width(), height(), devicePixelRatioF(), desk_.theme->canvas,
              [&](Canvas& canvas, const Input& input) { clicked = pane_.draw(canvas, input, content_); });
  if (clicked) {
    // After the frame: the answer changes the session, and with it what is drawn.
    QMetaObject::invokeMethod(
        this,
        [this, at = *clicked] {
          choose(at);
          desk_.acted();
        },
        Qt::QueuedConnection);
  }
  if (pane_.hovered()) setAccessibleDescription(qtext(pane_.hovered()->spoken));
  if (pane_.header() != header_) {
    header_ = pane_.header();
    QMetaObject::invokeMethod(this, &ViewCanvas::header_changed, Qt::QueuedConnection);
  }
  ++painted_frames_;
  if (frame_.busy())
    update();
  else
    QMetaObject::invokeMethod(this, &ViewCanvas::painted, Qt::QueuedConnection);
}

void ViewCanvas::push(InputEvent::Kind kind, const QPointF& at, Qt::KeyboardModifiers modifiers,
                      double wheel) {
  frame_.push({.kind = kind,
               .at = {at.x(), at.y()},
               .wheel = wheel,
               .with_control = modifiers.testFlag(Qt::ControlModifier),
               .with_shift = modifiers.testFlag(Qt::ShiftModifier)});
  update();
}

bool ViewCanvas::event(QEvent* event) {
  if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut)
    emit focus_changed(event->type() == QEvent::FocusIn);
  // In cell mode the arrows belong to this view, before they become the window's "next step".
  if (event->type() == QEvent::ShortcutOverride && pane_.in_cell_mode()) {
    const auto* key = static_cast<QKeyEvent*>(event);
    const bool is_arrow = key->key() >= Qt::Key_Left && key->key() <= Qt::Key_Down;
    if (is_arrow && !key->modifiers().testFlag(Qt::AltModifier)) {
      event->accept();
      return true;
    }
  }
  return QOpenGLWidget::event(event);
}

void ViewCanvas::mouseMoveEvent(QMouseEvent* event) {
  push(InputEvent::Kind::move, event->position(), event->modifiers());
  rest_.start();
}

void ViewCanvas::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) push(InputEvent::Kind::press, event->position(), event->modifiers());
}

void ViewCanvas::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton)
    push(InputEvent::Kind::release, event->position(), event->modifiers());
}

void ViewCanvas::mouseDoubleClickEvent(QMouseEvent* event) {
  push(InputEvent::Kind::double_click, event->position(), event->modifiers());
}

void ViewCanvas::wheelEvent(QWheelEvent* event) {
  push(InputEvent::Kind::wheel, event->position(), event->modifiers(),
       event->angleDelta().y() / wheel_units_per_notch);
}

void ViewCanvas::leaveEvent(QEvent*) {
  rest_.stop();
  push(InputEvent::Kind::leave, {}, Qt::NoModifier);
}

bool ViewCanvas::cell_key(int key) {
  const std::pair<int, Direction> keys[] = {{Qt::Key_Left, Direction::left},
                                            {Qt::Key_Right, Direction::right},
                                            {Qt::Key_Up, Direction::up},
                                            {Qt::Key_Down, Direction::down}};
  for (const auto& [code, direction] : keys)
    if (key == code) {
      if (const auto at = pane_.neighbour(content_.selection, direction)) {
        choose(*at);
        desk_.acted();
      }
      return true;
    }
  return false;
}

void ViewCanvas::keyPressEvent(QKeyEvent* event) {
  if (pane_.in_cell_mode()) {
    if (event->key() == Qt::Key_Escape || event->key() == Qt::Key_Return)
      pane_.set_cell_mode(false);
    else if (!cell_key(event->key()))
      return QOpenGLWidget::keyPressEvent(event);
  } else if (event->key() == Qt::Key_Return && content_.data) {
    pane_.set_cell_mode(true);
    // Something must be selected to start from: the first layer and position there are.
    const Selection& selection = content_.selection;
    std::map<std::string, int64_t> start;
    if (content_.data->has_axis("layer") && !selection.index("layer"))
      start["layer"] = content_.data->extent("layer") - 1;
    if (content_.data->has_axis("pos") && !selection.index("pos")) start["pos"] = 0;
    if (!start.empty()) {
      desk_.session->select(start);
      desk_.acted();
    }
  } else if (event->key() == Qt::Key_F) {
    pane_.fit();
  } else {
    return QOpenGLWidget::keyPressEvent(event);
  }
  update();
}

}  // namespace varve
