// A list of short rows under section titles: sign, words, figures at the right; chosen by click or arrows.
#pragma once

#include <QWidget>
#include <string>
#include <utility>
#include <vector>

#include "app/desktop/desk.h"
#include "app/desktop/marks.h"

namespace varve {

struct ListRow {
  enum class Kind { section, row };
  enum class Tone { plain, quiet, warn, fail, accent };
  Kind kind = Kind::row;
  std::string id;                        // empty: cannot be chosen
  std::string text, second, right, tip;  // second: quieter words behind the text
  int indent = 0;
  bool bold = false, mono = false;
  Tone tone = Tone::plain, right_tone = Tone::quiet;
  Mark mark = Mark::none;
  int color = -1;  // of a square: index of the categories
  bool operator==(const ListRow&) const = default;
};

class RowList : public QWidget {
  Q_OBJECT

 public:
  explicit RowList(Desk& desk, QWidget* parent = nullptr);
  void set_rows(std::vector<ListRow> rows);
  void set_current(const std::string& id);
  const std::string& current() const { return current_; }
  // Where each row that can be chosen lies, for those who point at it.
  std::vector<std::pair<std::string, QRect>> places() const;
  QSize sizeHint() const override;

 signals:
  void chosen(const std::string& id);
  void activated(const std::string& id);  // Enter, double click
  void menu_asked(const std::string& id, const QPoint& global);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  bool event(QEvent* event) override;

 private:
  int row_at(int y) const;  // -1: none
  int top_of(int row) const;
  void choose(int row);
  Desk& desk_;
  std::vector<ListRow> rows_;
  std::string current_, pressed_;
  int hovered_ = -1;
};

}  // namespace varve
