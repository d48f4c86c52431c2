// A view in the window: header, options made from its declaration, the canvas, and what to do when it is
// empty.
#pragma once

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <QWidget>

#include "app/desktop/desk.h"
#include "app/desktop/view_canvas.h"

namespace varve {

class ViewHost : public QWidget {
  Q_OBJECT

 public:
  explicit ViewHost(Desk& desk, QWidget* parent = nullptr);
  void refresh();
  const View* view() const { return content_.view; }
  const PaneContent& content() const { return content_; }
  ViewCanvas& canvas() { return *canvas_; }
  std::string header_text() const { return header_->text().toStdString(); }
  std::string empty_text() const;  // what the empty state says; "" while something is shown

 signals:
  void export_asked();

 private:
  void refresh_header(const Shown& shown);
  void refresh_empty();
  void build_options();
  void show_options();
  Desk& desk_;
  PaneContent content_;
  QWidget *header_bar_, *options_bar_;
  QLabel *title_, *badge_, *header_;
  QToolButton *fit_, *export_;
  QHBoxLayout* options_row_;
  QStackedWidget* pages_;
  ViewCanvas* canvas_;
  QWidget* empty_;
  QLabel* empty_words_;
  QPushButton* empty_button_;
  const View* options_of_ = nullptr;
  const Theme* icons_of_ = nullptr;
};

}  // namespace varve
