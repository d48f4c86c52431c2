// The rail: what is open, the transport, and the axis of checkpoints under the pointer.
#pragma once

#include <QLabel>
#include <QToolButton>
#include <QWidget>
#include <optional>

#include "app/desktop/desk.h"
#include "viz/draw/canvas.h"

namespace varve {

class RailAxis : public QWidget {
  Q_OBJECT

 public:
  explicit RailAxis(Desk& desk, QWidget* parent = nullptr);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;

 private:
  void go_to(double x);
  Box area() const;
  Desk& desk_;
  std::optional<Point> pointer_;
  int64_t gesture_ = 0;
  bool dragging_ = false;
};

class Rail : public QWidget {
  Q_OBJECT

 public:
  explicit Rail(Desk& desk, QWidget* parent = nullptr);
  void refresh();

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QToolButton* add_button(const char* name, const QString& tip);
  void set_icons();
  Desk& desk_;
  QLabel *name_, *shape_, *step_, *tokens_, *branch_;
  QToolButton *first_, *previous_, *play_, *next_, *last_;
  RailAxis* axis_;
  const Theme* icons_of_ = nullptr;
  bool icon_plays_ = false;
};

}  // namespace varve
