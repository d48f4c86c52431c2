// The prompt: a field, the tokens it becomes with their ids, and Run.
#pragma once

#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QWidget>

#include "app/desktop/desk.h"

namespace varve {

// Tokens as chips: piece above, id below; the selected position framed. A click selects the position.
class TokenStrip : public QWidget {
  Q_OBJECT

 public:
  explicit TokenStrip(Desk& desk, QWidget* parent = nullptr);
  void refresh();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  bool event(QEvent* event) override;

 private:
  int64_t chip_at(double x) const;  // -1: none
  Desk& desk_;
  std::vector<double> ends_;  // right edges of the chips as drawn
};

class PromptBox : public QWidget {
  Q_OBJECT

 public:
  explicit PromptBox(Desk& desk, QWidget* parent = nullptr);
  void refresh();
  void focus();
  QLineEdit* field() { return field_; }

 signals:
  void has_run();
  void was_left();  // Escape: the keys of the views are wanted

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void run();
  Desk& desk_;
  QLineEdit* field_;
  QPushButton* run_;
  QLabel* count_;
  TokenStrip* strip_;
};

}  // namespace varve
