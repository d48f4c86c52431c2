// Preferences: theme, font size, threads, and the way to the keys.
#pragma once

#include <QComboBox>
#include <QDialog>
#include <QDoubleSpinBox>
#include <QSpinBox>

namespace varve {

struct Preferences {
  bool is_dark = false;
  double font_points = 0;  // 0: as the system says
  int threads = 0;         // 0: all processors
};

class PreferencesDialog : public QDialog {
  Q_OBJECT

 public:
  PreferencesDialog(const Preferences& now, QWidget* parent);
  Preferences chosen() const;

 signals:
  void keys_asked();

 private:
  QComboBox* theme_;
  QDoubleSpinBox* font_;
  QSpinBox* threads_;
};

}  // namespace varve
