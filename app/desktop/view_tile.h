// One view in the window: header, options made from its declaration, the canvas, and what to do when there is
// nothing to draw.
#pragma once

#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <QWidget>

#include "app/desktop/desk.h"
#include "app/desktop/view_canvas.h"
#include "app/session/view_content.h"

namespace varve {

// The bar that a view is dragged by; a double click fills the middle.
class ViewHeader : public QWidget {
  Q_OBJECT

 public:
  using QWidget::QWidget;

 signals:
  void pressed();
  void dragged(const QPoint& global);
  void dropped(const QPoint& global);
  void double_clicked();
  void menu_asked(const QPoint& global);

 protected:
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;

 private:
  QPoint pressed_at_;
  bool is_held_ = false, is_dragging_ = false;
};

class ViewOptions;

class ViewTile : public QWidget {
  Q_OBJECT

 public:
  ViewTile(Desk& desk, std::shared_ptr<ScreenFonts> fonts, int64_t id, QWidget* parent);
  void refresh(const OpenView& view, ViewContent content, bool is_active);
  int64_t id() const { return id_; }
  const ViewContent& content() const { return content_; }
  ViewCanvas& canvas() { return *canvas_; }
  ViewHeader& header_bar() { return *header_bar_; }
  std::string header_text() const { return header_->toolTip().toStdString(); }
  std::string title() const { return content_.title; }
  // As the header has room for them.
  std::string title_shown() const { return title_->text().toStdString(); }
  std::string words_shown() const { return header_->text().toStdString(); }
  std::string empty_text() const;  // "" while something is drawn
  std::string file_stem() const;   // of an exported file's name
  int words_height() const;        // header and options, above the canvas
  QWidget* focus_part();           // what takes the keyboard
  void take_focus();               // the canvas, or the one button of the empty face, or that face

 signals:
  void activated();
  void export_asked();
  void menu_asked(const QPoint& global);
  void close_asked();

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;

 private:
  void build_header();
  void build_empty();
  void set_icons();
  void refresh_header();
  int words_room() const;  // in the header, for the title and what is drawn
  QToolButton* add_button(const QString& tip, const QString& name);
  Desk& desk_;
  int64_t id_;
  ViewContent content_;
  bool is_active_ = false;
  ViewHeader* header_bar_;
  ViewOptions* options_bar_;
  QLabel *title_, *badge_, *lock_, *header_;
  QToolButton *export_, *menu_, *close_;
  QStackedWidget* pages_;
  ViewCanvas* canvas_;
  QWidget* empty_;
  QLabel* empty_words_;
  QPushButton* empty_button_;
  const Theme* icons_of_ = nullptr;
};

}  // namespace varve
