// Painting and choosing rows.
#include "app/desktop/row_list.h"

#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>

#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {

constexpr int row_height = 20, section_height = 26, left = 12, right = 12, mark_width = 16, indent_width = 14;
constexpr Font row_font{8, Face::sans}, bold_font{8, Face::sans_bold}, section_font{7.5, Face::sans_bold},
    mono_font{8, Face::mono}, figures{7.5, Face::sans};

int height_of(const ListRow& row) { return row.kind == ListRow::Kind::section ? section_height : row_height; }

Color tone_color(ListRow::Tone tone, const Theme& theme) {
  switch (tone) {
    case ListRow::Tone::plain:
      return theme.ink;
    case ListRow::Tone::quiet:
      return theme.ink3;
    case ListRow::Tone::warn:
      return theme.warn;
    case ListRow::Tone::fail:
      return theme.fail;
    case ListRow::Tone::accent:
      return theme.accent;
  }
  return theme.ink;
}

}  // namespace

RowList::RowList(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void RowList::set_rows(std::vector<ListRow> rows) {
  if (rows == rows_) return;
  rows_ = std::move(rows);
  hovered_ = -1;
  setFixedHeight(sizeHint().height());
  update();
}

void RowList::set_current(const std::string& id) {
  if (id == current_) return;
  current_ = id;
  update();
}

QSize RowList::sizeHint() const {
  int height = 0;
  for (const ListRow& row : rows_) height += height_of(row);
  return {200, height};
}

int RowList::top_of(int row) const {
  int top = 0;
  for (int i = 0; i < row; ++i) top += height_of(rows_[static_cast<size_t>(i)]);
  return top;
}

int RowList::row_at(int y) const {
  int top = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    const int height = height_of(rows_[i]);
    if (y >= top && y < top + height) return static_cast<int>(i);
    top += height;
  }
  return -1;
}

std::vector<std::pair<std::string, QRect>> RowList::places() const {
  std::vector<std::pair<std::string, QRect>> places;
  for (size_t i = 0; i < rows_.size(); ++i)
    if (!rows_[i].id.empty())
      places.emplace_back(rows_[i].id, QRect(0, top_of(static_cast<int>(i)), width(), height_of(rows_[i])));
  return places;
}

void RowList::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Theme& theme = *desk_.theme;
  painter.fillRect(rect(), qcolor(theme.panel));
  PainterCanvas canvas(painter, {0, 0, width() * 1.0, height() * 1.0}, devicePixelRatioF());
  double top = 0;
  for (size_t i = 0; i < rows_.size(); ++i) {
    const ListRow& row = rows_[i];
    const double height = height_of(row), middle = top + height / 2;
    const bool is_current = !row.id.empty() && row.id == current_;
    if (is_current) {
      canvas.fill({0, top, width() * 1.0, height}, theme.soft);
      canvas.fill({0, top, 3, height}, theme.accent);
      if (hasFocus()) canvas.frame({1, top + 1, width() - 2.0, height - 2}, theme.accent, 1);
    } else if (static_cast<int>(i) == hovered_ && !row.id.empty()) {
      canvas.fill({0, top, width() * 1.0, height}, theme.raised);
    }
    const double end = width() - right - (row.right.empty() ? 0 : canvas.text_width(row.right, figures));
    if (row.kind == ListRow::Kind::section) {
      canvas.text({left * 1.0, middle + 2}, row.text, section_font, theme.ink3);
      canvas.text({width() - right * 1.0, middle + 2}, row.right, figures, theme.ink3, Align::right);
    } else {
      double x = left + row.indent * indent_width;
      if (row.mark == Mark::square && row.color >= 0) {
        draw_square(canvas, {x + 4, middle},
                    theme.category[static_cast<size_t>(row.color) % theme.category.size()]);
        x += mark_width;
      } else if (row.mark != Mark::none) {
        draw_mark(canvas, row.mark, {x + 4, middle}, theme);
        x += mark_width;
      }
      const Font font = row.mono ? mono_font : row.bold ? bold_font : row_font;
      const double room = std::max(10.0, end - 8 - x);
      const std::string text = elide(canvas, row.text, font, room);
      canvas.text({x, middle}, text, font, tone_color(row.tone, theme));
      const double used = canvas.text_width(text, font) + 8;
      if (!row.second.empty() && room - used > 20)
        canvas.text({x + used, middle}, elide(canvas, row.second, figures, room - used), figures, theme.ink3);
      canvas.text({width() - right * 1.0, middle}, row.right, figures, tone_color(row.right_tone, theme),
                  Align::right);
    }
    top += height;
  }
}

void RowList::choose(int row) {
  if (row < 0 || rows_[static_cast<size_t>(row)].id.empty()) return;
  current_ = rows_[static_cast<size_t>(row)].id;
  const ListRow& now = rows_[static_cast<size_t>(row)];
  setAccessibleDescription(qtext(now.text + " " + now.second + " " + now.right));
  update();
  emit chosen(current_);
}

void RowList::mousePressEvent(QMouseEvent* event) {
  const int row = row_at(static_cast<int>(event->position().y()));
  pressed_ = row >= 0 ? rows_[static_cast<size_t>(row)].id : "";
  choose(row);
}

// Of the row that was pressed first: what it chose may have moved the rows since.
void RowList::mouseDoubleClickEvent(QMouseEvent*) {
  if (!pressed_.empty()) emit activated(pressed_);
}

void RowList::mouseMoveEvent(QMouseEvent* event) {
  const int row = row_at(static_cast<int>(event->position().y()));
  if (row == hovered_) return;
  hovered_ = row;
  update();
}

void RowList::leaveEvent(QEvent*) {
  hovered_ = -1;
  update();
}

void RowList::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  update();
}

void RowList::focusOutEvent(QFocusEvent* event) {
  QWidget::focusOutEvent(event);
  update();
}

void RowList::contextMenuEvent(QContextMenuEvent* event) {
  const int row = row_at(event->pos().y());
  if (row < 0 || rows_[static_cast<size_t>(row)].id.empty()) return;
  choose(row);
  emit menu_asked(rows_[static_cast<size_t>(row)].id, event->globalPos());
}

void RowList::keyPressEvent(QKeyEvent* event) {
  std::vector<int> all;
  int at = -1;
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].id.empty()) continue;
    if (rows_[i].id == current_) at = static_cast<int>(all.size());
    all.push_back(static_cast<int>(i));
  }
  const int last = static_cast<int>(all.size()) - 1;
  if (last < 0) return QWidget::keyPressEvent(event);
  switch (event->key()) {
    case Qt::Key_Up:
      return choose(all[static_cast<size_t>(std::clamp(at - 1, 0, last))]);
    case Qt::Key_Down:
      return choose(all[static_cast<size_t>(std::clamp(at + 1, 0, last))]);
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (at >= 0) emit activated(current_);
      return;
    case Qt::Key_Menu:
      if (at >= 0) emit menu_asked(current_, mapToGlobal(QPoint(left, top_of(all[static_cast<size_t>(at)]))));
      return;
    default:
      QWidget::keyPressEvent(event);
  }
}

bool RowList::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const int row = row_at(help->pos().y());
  if (row >= 0 && !rows_[static_cast<size_t>(row)].tip.empty())
    QToolTip::showText(help->globalPos(), qtext(rows_[static_cast<size_t>(row)].tip), this);
  else
    QToolTip::hideText();
  return true;
}

}  // namespace varve
