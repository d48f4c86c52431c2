// The upright tab at a window's edge that a dock folds to where there is no room for it.
#pragma once

#include <QAbstractButton>

#include "app/desktop/desk.h"

namespace varve {

class FoldTab : public QAbstractButton {
  Q_OBJECT

 public:
  FoldTab(Desk& desk, const QString& title, QWidget* parent = nullptr);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Desk& desk_;
};

}  // namespace varve
