// A view without options of its own: a header that says what is drawn, an export button and the canvas.
#pragma once

#include <QLabel>
#include <QToolButton>
#include <QWidget>

#include "app/desktop/view_canvas.h"

namespace varve {

class SideView : public QWidget {
  Q_OBJECT

 public:
  SideView(Desk& desk, const QString& title, QWidget* parent = nullptr);
  void show_content(PaneContent content);
  ViewCanvas& canvas() { return *canvas_; }

 signals:
  void export_asked();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void refresh_header();
  Desk& desk_;
  QWidget* header_bar_;
  QLabel *title_, *header_;
  QToolButton* export_;
  ViewCanvas* canvas_;
  const Theme* icons_of_ = nullptr;
};

}  // namespace varve
