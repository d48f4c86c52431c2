// The rail: what is open, the transport, and the axis of checkpoints under the pointer.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <QWidget>
#include <optional>

#include "app/desktop/desk.h"
#include "app/desktop/rail_drawing.h"
#include "viz/draw/canvas.h"

namespace varve {

class RailAxis : public QWidget {
  Q_OBJECT

 public:
  explicit RailAxis(Desk& desk, QWidget* parent = nullptr);
  void refresh();
  const std::vector<RailEvent>& events() const { return events_; }

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;

 private:
  void go_to(double x);
  RailLook look() const;
  Box area() const;
  Desk& desk_;
  std::optional<Point> pointer_;
  std::vector<RailEvent> events_;
  uint64_t events_of_ = 0;  // the session's revision they were taken at
  const Session* session_of_ = nullptr;
  size_t first_lane_ = 0;
  int64_t gesture_ = 0, brushed_from_ = 0;
  bool dragging_ = false, brushing_ = false;
};

class Rail : public QWidget {
  Q_OBJECT

 public:
  explicit Rail(Desk& desk, QWidget* parent = nullptr);
  void refresh();
  RailAxis* axis() { return axis_; }
  const std::vector<RailEvent>& events() const { return axis_->events(); }

 signals:
  void series_menu_asked(const QPoint& at);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QToolButton* add_button(const char* name, const QString& tip);
  void set_icons();
  Desk& desk_;
  QPushButton* name_;
  QLabel *shape_, *step_, *tokens_, *branch_;
  QToolButton *first_, *previous_, *play_, *next_, *last_;
  RailAxis* axis_;
  const Theme* icons_of_ = nullptr;
  bool icon_plays_ = false;
};

}  // namespace varve
