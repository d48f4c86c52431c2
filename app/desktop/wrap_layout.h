// Controls in a row that goes on below where the width ends: nothing is squeezed and nothing is cut.
#pragma once

#include <QLayout>
#include <vector>

namespace varve {

class WrapLayout : public QLayout {
 public:
  explicit WrapLayout(QWidget* parent, int gap = 6, int line_gap = 4);
  ~WrapLayout() override;
  // These two stay on one line: a name and what it names.
  void add_pair(QWidget* name, QWidget* control);
  void clear();  // the widgets go with it
  int height_of(int lines) const;
  int line_step() const;  // from line to line

  void addItem(QLayoutItem* item) override;
  int count() const override { return static_cast<int>(items_.size()); }
  QLayoutItem* itemAt(int index) const override;
  QLayoutItem* takeAt(int index) override;
  Qt::Orientations expandingDirections() const override { return {}; }
  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override { return place({0, 0, width, 0}, false); }
  QSize sizeHint() const override { return minimumSize(); }
  QSize minimumSize() const override;
  void setGeometry(const QRect& box) override;

 private:
  int place(const QRect& box, bool moves) const;  // the height that is used
  int gap_, line_gap_;
  std::vector<QLayoutItem*> items_;
};

}  // namespace varve
