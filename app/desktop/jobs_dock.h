// Jobs: one row each with what it does, how far it is, time left and Stop; errors as cards.
#pragma once

#include <QLabel>
#include <QTimer>
#include <QVBoxLayout>
#include <QWidget>
#include <map>

#include "analysis/core/jobs.h"
#include "app/desktop/desk.h"

namespace varve {

class JobRow;

class JobsDock : public QWidget {
  Q_OBJECT

 public:
  explicit JobsDock(Desk& desk, QWidget* parent = nullptr);
  void refresh();

 signals:
  void redrawn();  // while something runs

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Desk& desk_;
  QLabel* count_;
  QVBoxLayout* rows_;
  QTimer timer_;
  std::map<const Job*, JobRow*> by_job_;
};

// "1.8 s left", "" while nothing can be said.
std::string time_left(double fraction, double seconds);

}  // namespace varve
