// A view on screen.
#include "app/desktop/view_canvas.h"

#include <QAccessible>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <utility>

#include "app/desktop/painter_canvas.h"
#include "app/desktop/picture.h"

namespace varve {

namespace {
constexpr int tip_delay_millis = 120;
constexpr double wheel_units_per_notch = 120;
}  // namespace

ViewCanvas::ViewCanvas(Desk& desk, std::shared_ptr<ScreenFonts> fonts, QWidget* parent)
    : QWidget(parent), desk_(desk), frame_(std::move(fonts)) {
  choose = [this](const std::map<std::string, int64_t>& at, bool) { desk_.session->select(at); };
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(40, 30);
  setAttribute(Qt::WA_OpaquePaintEvent);
  rest_.setSingleShot(true);
  rest_.setInterval(tip_delay_millis);
  connect(&rest_, &QTimer::timeout, this, [this] {
    frame_.rest();
    update();
  });
}

void ViewCanvas::show_content(PaneContent content) {
  if (content.view != content_.view) {
    pane_.fit();
    if (pane_.measures()) pane_.measure({});  // other marks
  }
  content_ = std::move(content);
  owes_paint_ = true;
  frame_.push({.kind = InputEvent::Kind::leave, .at = {}});
  if (underMouse()) {
    const QPointF at = mapFromGlobal(QCursor::pos());
    push(InputEvent::Kind::move, at, Qt::NoModifier);
  }
  update();
}

void ViewCanvas::show_times(bool on) {
  if (frame_.shows_times() == on) return;
  frame_.show_times(on);
  update();
}

bool ViewCanvas::is_current() const {
  if (!isVisible() || visibleRegion().isEmpty()) return true;  // nothing of it is on screen
  return !owes_paint_ && painted_size_ == size();
}

void ViewCanvas::paintEvent(QPaintEvent*) {
  std::optional<std::map<std::string, int64_t>> clicked;
  frame_.draw(pixels_of(picture_, *this), devicePixelRatioF(), desk_.theme->canvas,
              [&](Canvas& canvas, const Input& input) { clicked = pane_.draw(canvas, input, content_); });
  QPainter(this).drawImage(QPointF(0, 0), picture_);
  if (clicked) {
    // After the frame: the answer changes the session, and with it what is drawn.
    QMetaObject::invokeMethod(
        this,
        [this, at = *clicked, adds = adds_] {
          choose(at, adds);
          desk_.acted();
        },
        Qt::QueuedConnection);
  }
  if (const PaneWish& wish = pane_.wish(); grant && (!wish.options.empty() || wish.steps))
    QMetaObject::invokeMethod(
        this, [this, wish] { grant(wish); }, Qt::QueuedConnection);
  say_cell();
  if (pane_.header() != header_) {
    header_ = pane_.header();
    QMetaObject::invokeMethod(this, &ViewCanvas::header_changed, Qt::QueuedConnection);
  }
  ++painted_frames_;
  painted_size_ = size();
  if (frame_.busy()) {
    update();
  } else {
    owes_paint_ = false;
    QMetaObject::invokeMethod(this, &ViewCanvas::painted, Qt::QueuedConnection);
    if (owes_focus_ && !is_held_) say_focus();
  }
}

// For people who do not see the picture: the mark under the pointer, else the selected one, in words.
void ViewCanvas::say_cell() {
  std::string spoken;
  if (pane_.hovered())
    spoken = pane_.hovered()->spoken;
  else
    spoken = pane_.tip_text_of(content_.selection);
  if (spoken == spoken_) return;
  spoken_ = spoken;
  setAccessibleDescription(qtext(spoken));
  QAccessibleEvent said(this, QAccessible::DescriptionChanged);
  QAccessible::updateAccessibility(&said);
}

// The active view gets a row of options, which moves its canvas. A press must not move what is pressed: the
// click is answered first.
void ViewCanvas::say_focus() {
  owes_focus_ = false;
  QMetaObject::invokeMethod(
      this, [this] { emit focus_changed(hasFocus()); }, Qt::QueuedConnection);
}

void ViewCanvas::push(InputEvent::Kind kind, const QPointF& at, Qt::KeyboardModifiers modifiers,
                      double wheel) {
  frame_.push({.kind = kind,
               .at = {at.x(), at.y()},
               .wheel = wheel,
               .with_control = modifiers.testFlag(Qt::ControlModifier),
               .with_shift = modifiers.testFlag(Qt::ShiftModifier),
               .with_alt = modifiers.testFlag(Qt::AltModifier),
               .is_right = held_button_ == Qt::RightButton});
  owes_paint_ = true;
  update();
}

bool ViewCanvas::event(QEvent* event) {
  if (event->type() == QEvent::FocusIn) {
    owes_focus_ = true;
    if (static_cast<QFocusEvent*>(event)->reason() != Qt::MouseFocusReason) say_focus();
  }
  // The right button zooms; the window's own menu of docks has no place here.
  if (event->type() == QEvent::ContextMenu) {
    event->accept();
    return true;
  }
  // In cell mode the arrows belong to this view, before they become the window's "next step".
  if (event->type() == QEvent::ShortcutOverride && pane_.in_cell_mode()) {
    const auto* key = static_cast<QKeyEvent*>(event);
    const bool is_arrow = key->key() >= Qt::Key_Left && key->key() <= Qt::Key_Down;
    if (is_arrow && !key->modifiers().testFlag(Qt::AltModifier)) {
      event->accept();
      return true;
    }
  }
  return QWidget::event(event);
}

void ViewCanvas::mouseMoveEvent(QMouseEvent* event) {
  push(InputEvent::Kind::move, event->position(), event->modifiers());
  rest_.start();
}

void ViewCanvas::mousePressEvent(QMouseEvent* event) {
  if (is_held_ || (event->button() != Qt::LeftButton && event->button() != Qt::RightButton)) return;
  is_held_ = true;
  held_button_ = event->button();
  push(InputEvent::Kind::press, event->position(), event->modifiers());
}

void ViewCanvas::mouseReleaseEvent(QMouseEvent* event) {
  if (!is_held_ || event->button() != held_button_) return;
  is_held_ = false;
  adds_ = event->modifiers().testFlag(Qt::ControlModifier);
  push(InputEvent::Kind::release, event->position(), event->modifiers());
}

void ViewCanvas::mouseDoubleClickEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  is_held_ = true;
  held_button_ = event->button();
  push(InputEvent::Kind::double_click, event->position(), event->modifiers());
}

void ViewCanvas::wheelEvent(QWheelEvent* event) {
  // With Alt, Qt takes the wheel for one that turns sideways.
  const QPoint turned = event->angleDelta();
  push(InputEvent::Kind::wheel, event->position(), event->modifiers(),
       (turned.y() != 0 ? turned.y() : turned.x()) / wheel_units_per_notch);
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
        choose(*at, false);
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
      return QWidget::keyPressEvent(event);
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
  } else if (event->key() == Qt::Key_Escape && is_held_) {
    pane_.cancel();
  } else if (event->key() == Qt::Key_Escape && pane_.measures()) {
    pane_.measure({});
  } else {
    return QWidget::keyPressEvent(event);
  }
  update();
}

}  // namespace varve
