// Painted buttons of the start page: a recent series with its core, and a question with a small picture of
// its answer.
#pragma once

#include <QPushButton>

#include "app/desktop/desk.h"
#include "app/session/recent_series.h"

namespace varve {

class RecentRow : public QPushButton {
  Q_OBJECT

 public:
  RecentRow(Desk& desk, RecentSeries series, bool is_gone, QWidget* parent);
  QSize sizeHint() const override;

 signals:
  void pin_asked(bool pinned);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  Desk& desk_;
  RecentSeries series_;
  bool is_gone_;
};

enum class StartQuestion { answer, heads, huge_values, experts, change, trust };

class QuestionCard : public QPushButton {
  Q_OBJECT

 public:
  QuestionCard(Desk& desk, StartQuestion question, QWidget* parent);
  static QString title(StartQuestion question);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Desk& desk_;
  StartQuestion question_;
};

// The core of a series: one lane a branch, one lamina a checkpoint, darker where the weights moved more.
void draw_core(Canvas& canvas, Box box, const RecentSeries& series, const Theme& theme);

}  // namespace varve
