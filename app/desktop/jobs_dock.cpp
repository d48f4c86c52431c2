// The jobs dock.
#include "app/desktop/jobs_dock.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QStyle>
#include <algorithm>
#include <set>

#include "analysis/core/text.h"
#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {
constexpr int redraws_millis = 250, left_width = 92;
constexpr size_t most_rows = 3;
constexpr double fraction_to_judge = 0.03;  // before that the time left is a guess
}  // namespace

std::string time_left(double fraction, double seconds) {
  if (fraction < fraction_to_judge || fraction >= 1 || seconds < 0.5) return "";
  return show_seconds(seconds * (1 - fraction) / fraction) + " left";
}

class JobRow : public QWidget {
 public:
  JobRow(Desk& desk, std::shared_ptr<Job> job, QWidget* parent)
      : QWidget(parent), desk_(desk), job_(std::move(job)) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(8, 1, 12, 1);
    row->setSpacing(10);
    row->addWidget(mark_ = new QLabel(this));
    mark_->setFixedWidth(14);
    row->addWidget(title_ = new QLabel(qtext(job_->title()), this));
    title_->setObjectName("title");
    title_->setMinimumWidth(190);
    row->addWidget(bar_ = new QProgressBar(this), 2);
    bar_->setRange(0, 1000);
    bar_->setTextVisible(false);
    bar_->setMinimumWidth(120);
    row->addWidget(state_ = new QLabel(this), 3);
    state_->setObjectName("jobstate");
    state_->setMinimumWidth(60);
    row->addWidget(left_ = new QLabel(this));
    left_->setObjectName("third");
    left_->setMinimumWidth(70);
    row->addWidget(button_ = new QPushButton(this));
    button_->setFixedSize(92, 18);
    connect(button_, &QPushButton::clicked, this, [this] { act(); });
    refresh();
  }

  void refresh() {
    const Job::State state = job_->state();
    const double fraction = state == Job::State::done ? 1.0 : job_->progress()->fraction();
    bar_->setValue(static_cast<int>(fraction * 1000));
    // What is over needs no bar: its words say how it ended. The bar keeps its place while the row is there.
    bar_->setVisible(!job_->finished());
    const bool failed = state == Job::State::failed;
    if ((state_->property("tone").toString() == "fail") != failed) {
      state_->setProperty("tone", failed ? "fail" : "");
      state_->style()->unpolish(state_);
      state_->style()->polish(state_);
    }
    mark_->setText(mark(state));
    const std::string words = state_words(state);
    state_->setText(
        state_->fontMetrics().elidedText(qtext(words), Qt::ElideRight, std::max(60, state_->width())));
    state_->setToolTip(qtext(words));
    left_->setText(
        qtext(job_->finished() ? show_seconds(job_->seconds()) : time_left(fraction, job_->seconds())));
    button_->setText(!job_->finished()                     ? tr("Stop")
                     : job_->state() == Job::State::failed ? tr("Copy details")
                                                           : tr("Dismiss"));
    button_->setEnabled(job_->finished() || !job_->progress()->stop_requested());
  }

 private:
  static QString mark(Job::State state) {
    switch (state) {
      case Job::State::waiting:
        return QStringLiteral("○");
      case Job::State::running:
        return QStringLiteral("◔");
      case Job::State::done:
        return QStringLiteral("✓");
      case Job::State::failed:
        return QStringLiteral("✕");
      case Job::State::stopped:
        return QStringLiteral("■");
    }
    return {};
  }

  std::string state_words(Job::State state) const {
    if (state == Job::State::waiting) return "waits for the job before it";
    if (state == Job::State::running)
      return job_->progress()->stop_requested() ? "stopping" : job_->progress()->doing();
    if (state == Job::State::failed) return job_->error();
    if (state == Job::State::stopped) return "stopped; what was finished is kept";
    const Run* run = desk_.session->current_run();
    if (run && run->job == job_ && run->complete)
      return run->computed == 0 ? show_count(run->cached) + " cells from the store, nothing computed"
                                : show_count(run->computed) + " cells computed, " + show_count(run->cached) +
                                      " from the store";
    const auto notes = job_->progress()->notes();
    return notes.empty() ? "done" : notes.back();
  }

  void act() {
    if (!job_->finished())
      job_->stop();
    else if (job_->state() == Job::State::failed)
      QApplication::clipboard()->setText(qtext(job_->title() + "\n" + job_->error()));
    else
      desk_.session->forget_finished();
    desk_.acted();
  }

  Desk& desk_;
  std::shared_ptr<Job> job_;
  QLabel *mark_, *title_, *state_, *left_;
  QProgressBar* bar_;
  QPushButton* button_;
};

JobsDock::JobsDock(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  auto* left = new QWidget(this);
  left->setFixedWidth(left_width);
  auto* names = new QVBoxLayout(left);
  names->setContentsMargins(12, 5, 4, 5);
  names->setSpacing(1);
  auto* title = new QLabel(tr("Jobs"), left);
  title->setObjectName("title");
  names->addWidget(title);
  names->addWidget(count_ = new QLabel(left));
  count_->setObjectName("second");
  names->addStretch();
  row->addWidget(left);
  rows_ = new QVBoxLayout;
  rows_->setContentsMargins(0, 3, 0, 3);
  rows_->setSpacing(0);
  row->addLayout(rows_, 1);
  timer_.setInterval(redraws_millis);
  connect(&timer_, &QTimer::timeout, this, [this] {
    refresh();
    emit redrawn();
  });
}

void JobsDock::refresh() {
  std::vector<std::shared_ptr<Job>> jobs = desk_.session->jobs().all();
  size_t running = 0;
  for (const auto& job : jobs) running += job->finished() ? 0 : 1;
  // The newest are at the bottom of the list; what runs is always among them.
  if (jobs.size() > most_rows) jobs.erase(jobs.begin(), jobs.end() - static_cast<std::ptrdiff_t>(most_rows));
  std::set<const Job*> wanted;
  for (const auto& job : jobs) wanted.insert(job.get());
  std::erase_if(by_job_, [&wanted](const auto& entry) {
    if (wanted.contains(entry.first)) return false;
    entry.second->hide();
    entry.second->deleteLater();
    return true;
  });
  for (const auto& job : jobs) {
    const auto known = by_job_.find(job.get());
    if (known != by_job_.end()) {
      known->second->refresh();
      continue;
    }
    auto* made = new JobRow(desk_, job, this);
    rows_->addWidget(made);
    by_job_[job.get()] = made;
  }
  count_->setText(running == 0 ? tr("none running") : tr("%1 of %2 running").arg(running).arg(jobs.size()));
  setVisible(!jobs.empty());
  if (running > 0)
    timer_.start();
  else
    timer_.stop();
}

void JobsDock::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), qcolor(desk_.theme->panel));
  painter.fillRect(QRect(0, 0, left_width, height()), qcolor(desk_.theme->raised));
}

}  // namespace varve
