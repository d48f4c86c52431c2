// The widget a view is drawn in: Qt's events into the frame's queue, the frame's picture onto the screen.
#pragma once

#include <QImage>
#include <QTimer>
#include <QWidget>

#include "app/desktop/desk.h"
#include "viz/host/frame.h"
#include "viz/host/pane.h"

namespace varve {

class ViewCanvas : public QWidget {
  Q_OBJECT

 public:
  // `fonts` are shared by all canvases of the window.
  ViewCanvas(Desk& desk, std::shared_ptr<ScreenFonts> fonts, QWidget* parent);
  void show_content(PaneContent content);
  Pane& pane() { return pane_; }
  const PaneContent& content() const { return content_; }
  int64_t painted_frames() const { return painted_frames_; }
  void show_times(bool on);
  const Frame& frame() const { return frame_; }
  // What is on screen is what the canvas was last given, at the size that it has.
  bool is_current() const;
  // Options of the view that a click on a mark sets, and items of the axis step that were brushed.
  std::function<void(const PaneWish&)> grant;
  // What a click or an arrow in cell mode does with the axes of the mark; with Ctrl it adds to the set.
  std::function<void(const std::map<std::string, int64_t>&, bool adds)> choose;

 signals:
  void header_changed();
  void focus_changed(bool has_focus);
  void painted();  // a picture that will not change by itself is on screen

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool event(QEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void push(InputEvent::Kind kind, const QPointF& at, Qt::KeyboardModifiers modifiers, double wheel = 0);
  bool cell_key(int key);
  void say_focus();
  void say_cell();
  Desk& desk_;
  Frame frame_;
  Pane pane_;
  QImage picture_;
  PaneContent content_;
  QTimer rest_;
  std::string header_, spoken_;
  int64_t painted_frames_ = 0;
  Qt::MouseButton held_button_ = Qt::NoButton;
  bool is_held_ = false, owes_focus_ = false, adds_ = false;
  QSize painted_size_;
  bool owes_paint_ = true;
};

}  // namespace varve
