// Names and controls two by two, line after line.
#include "app/desktop/wrap_layout.h"

#include <QWidget>
#include <algorithm>

namespace varve {

WrapLayout::WrapLayout(QWidget* parent, int gap, int line_gap)
    : QLayout(parent), gap_(gap), line_gap_(line_gap) {}

WrapLayout::~WrapLayout() {
  for (QLayoutItem* item : items_) delete item;
}

void WrapLayout::add_pair(QWidget* name, QWidget* control) {
  addWidget(name);
  addWidget(control);
}

void WrapLayout::clear() {
  while (QLayoutItem* item = takeAt(0)) {
    if (QWidget* widget = item->widget()) {
      widget->hide();
      widget->deleteLater();
    }
    delete item;
  }
}

int WrapLayout::height_of(int lines) const { return minimumSize().height() + (lines - 1) * line_step(); }

int WrapLayout::line_step() const {
  const QMargins margins = contentsMargins();
  return minimumSize().height() - margins.top() - margins.bottom() + line_gap_;
}

void WrapLayout::addItem(QLayoutItem* item) { items_.push_back(item); }

QLayoutItem* WrapLayout::itemAt(int index) const {
  return index >= 0 && index < count() ? items_[static_cast<size_t>(index)] : nullptr;
}

QLayoutItem* WrapLayout::takeAt(int index) {
  QLayoutItem* item = itemAt(index);
  if (item) items_.erase(items_.begin() + index);
  invalidate();
  return item;
}

QSize WrapLayout::minimumSize() const {
  const QMargins margins = contentsMargins();
  int high = 0;
  for (const QLayoutItem* item : items_) high = std::max(high, item->sizeHint().height());
  return {margins.left() + margins.right() + 40, margins.top() + margins.bottom() + high};
}

void WrapLayout::setGeometry(const QRect& box) {
  QLayout::setGeometry(box);
  place(box, true);
}

int WrapLayout::place(const QRect& box, bool moves) const {
  const QMargins margins = contentsMargins();
  const QRect inside = box.marginsRemoved(margins);
  // All lines are as high as the highest control: names and boxes stand on one level.
  int x = inside.x(), y = inside.y(), line = 0;
  for (const QLayoutItem* item : items_) line = std::max(line, item->sizeHint().height());
  for (size_t i = 0; i < items_.size(); i += 2) {
    const bool is_pair = i + 1 < items_.size();
    const QSize first = items_[i]->sizeHint(), second = is_pair ? items_[i + 1]->sizeHint() : QSize(0, 0);
    const int width = first.width() + (is_pair ? gap_ + second.width() : 0);
    if (x > inside.x() && x + width > inside.x() + inside.width()) {
      x = inside.x();
      y += line + line_gap_;
    }
    if (moves) {
      const int room = std::max(0, inside.x() + inside.width() - x - first.width() - gap_);
      items_[i]->setGeometry({x, y + (line - first.height()) / 2, first.width(), first.height()});
      if (is_pair)
        items_[i + 1]->setGeometry({x + first.width() + gap_, y + (line - second.height()) / 2,
                                    std::min(second.width(), room), second.height()});
    }
    x += width + gap_ + 2;
  }
  return y + line - box.y() + margins.bottom();
}

}  // namespace varve
