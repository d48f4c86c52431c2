// The sheet of keys (`?`), and the same list with keys that can be changed.
#pragma once

#include <QDialog>
#include <QLabel>
#include <QTableWidget>

#include "app/desktop/actions.h"

namespace varve {

class KeysDialog : public QDialog {
  Q_OBJECT

 public:
  enum class Kind { sheet, rebind };
  KeysDialog(Actions& actions, Kind kind, QWidget* parent);

 private:
  void fill(const QString& sought);
  Actions& actions_;
  Kind kind_;
  QTableWidget* table_;
  QLabel* said_;
};

}  // namespace varve
