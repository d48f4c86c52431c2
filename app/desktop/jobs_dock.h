// Jobs: one row each with what it does, how far it is, the part that was cached, time left and Stop; an error
// as a card.
#pragma once

#include <QLabel>
#include <QScrollArea>
#include <QTimer>
#include <QVBoxLayout>
#include <QWidget>
#include <map>
#include <set>

#include "analysis/core/jobs.h"
#include "app/desktop/cards.h"
#include "app/desktop/desk.h"

namespace varve {

class JobRow;

class JobsDock : public QWidget {
  Q_OBJECT

 public:
  explicit JobsDock(Desk& desk, QWidget* parent = nullptr);
  void refresh();
  QRect button_place(const Job* job) const;  // on the screen; empty where the job has no row
  std::string card_words() const;            // "" while no card is shown

 signals:
  void redrawn();  // while something runs
  void again_asked(const std::string& title);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void explain(const Job& job);
  Desk& desk_;
  QLabel* count_;
  QVBoxLayout* rows_;
  ErrorCard* card_;
  std::string card_of_;
  QTimer timer_;
  std::map<const Job*, JobRow*> by_job_;
  std::set<std::shared_ptr<Job>> dismissed_;
};

}  // namespace varve
