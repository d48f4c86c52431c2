// Preferences: theme, font size, what a drag does, threads, memory, and the way to the keys.
#pragma once

#include <QComboBox>
#include <QDialog>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QSpinBox>

namespace varve {

struct Preferences {
  bool is_dark = false;
  double font_points = 0;  // 0: as the system says
  int threads = 0;         // 0: all processors
  bool drag_zooms = false;
  QString memory = {};  // of a run, as "2 GB"; empty: as much as it takes
};

class PreferencesDialog : public QDialog {
  Q_OBJECT

 public:
  PreferencesDialog(const Preferences& now, QWidget* parent);
  Preferences chosen() const;

 signals:
  void keys_asked();

 private:
  QComboBox *theme_, *drag_;
  QDoubleSpinBox* font_;
  QSpinBox* threads_;
  QLineEdit* memory_;
};

}  // namespace varve
