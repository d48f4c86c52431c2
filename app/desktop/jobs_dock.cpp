// The jobs dock.
#include "app/desktop/jobs_dock.h"

#include <QHBoxLayout>
#include <QHelpEvent>
#include <QPainter>
#include <QPushButton>
#include <QToolTip>
#include <algorithm>

#include "analysis/core/text.h"
#include "app/desktop/marks.h"
#include "app/desktop/painter_canvas.h"

namespace varve {

namespace {
constexpr int redraws_millis = 250, left_width = 96, row_height = 20, button_width = 64;
constexpr size_t most_rows = 4;
// Where a row's parts begin, as shares of what is left beside the button.
constexpr double bar_begins = 0.36, words_begin = 0.64, time_begins = 0.89, bar_height = 8;
}  // namespace

class JobRow : public QWidget {
 public:
  JobRow(Desk& desk, std::shared_ptr<Job> job, QWidget* parent)
      : QWidget(parent), desk_(desk), job_(std::move(job)), button_(new QPushButton(this)) {
    setFixedHeight(row_height);
    button_->setObjectName("rowbutton");
    button_->setFixedSize(button_width, 18);
    refresh();
  }
  QPushButton& button() { return *button_; }
  const std::shared_ptr<Job>& job() const { return job_; }

  void refresh() {
    words_ = job_words(*desk_.session, *job_);
    if (job_->state() == Job::State::running) turn_ += 0.25;
    const Job::State state = job_->state();
    button_->setText(!job_->finished()             ? tr("Stop")
                     : state == Job::State::failed ? tr("Why")
                                                   : tr("Dismiss"));
    button_->setEnabled(job_->finished() || !job_->progress()->stop_requested());
    button_->setAccessibleName(button_->text() + " " + qtext(words_.name));
    setAccessibleDescription(qtext(words_.words));
    update();
  }

 protected:
  void resizeEvent(QResizeEvent*) override { button_->move(width() - button_width - 12, 1); }

  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    PainterCanvas canvas(painter, {0, 0, width() * 1.0, height() * 1.0}, devicePixelRatioF());
    const Theme& theme = *desk_.theme;
    const double room = width() - button_width - 32.0, middle = height() / 2.0;
    draw_mark(canvas, sign(), {14, middle}, theme, turn_);
    constexpr Font name{8.5, Face::sans_bold}, plain{8, Face::sans}, mono{8, Face::sans};
    const double bar_x = room * bar_begins, words_x = room * words_begin, time_x = room * time_begins;
    const std::string title = elide(canvas, words_.name, name, bar_x - 40);
    canvas.text({28, middle}, title, name, theme.ink);
    const double what_x = 28 + canvas.text_width(title, name) + 10;
    if (bar_x - what_x > 40)
      canvas.text({what_x, middle}, elide(canvas, words_.what, plain, bar_x - what_x - 12), plain,
                  theme.ink2);
    // A bar says how far work has come; what failed or waits has come nowhere that a length would tell.
    const bool has_bar =
        words_.has_bar && job_->state() != Job::State::waiting && job_->state() != Job::State::failed;
    if (has_bar) {
      const Box track{bar_x, middle - bar_height / 2, words_x - bar_x - 16, bar_height};
      canvas.fill(track, theme.raised);
      const bool done = job_->state() == Job::State::done;
      canvas.fill({track.x, track.y, track.w * words_.reached, track.h}, done ? theme.cached : theme.accent);
      canvas.fill({track.x, track.y, track.w * std::min(words_.cached, words_.reached), track.h},
                  theme.cached);
    }
    const double from = has_bar ? words_x : bar_x;
    const bool failed = job_->state() == Job::State::failed;
    canvas.text({from, middle}, elide(canvas, words_.words, mono, time_x - from - 10), plain,
                failed ? theme.fail : theme.ink2);
    canvas.text({time_x, middle}, elide(canvas, words_.time, plain, room - time_x + 8), plain, theme.ink3);
  }

  bool event(QEvent* event) override {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    QToolTip::showText(
        static_cast<QHelpEvent*>(event)->globalPos(),
        qtext(words_.name + (words_.what.empty() ? "" : " · " + words_.what) + "\n" + words_.words));
    return true;
  }

 private:
  Mark sign() const {
    switch (job_->state()) {
      case Job::State::waiting:
        return Mark::ring;
      case Job::State::running:
        return Mark::running;
      case Job::State::done:
        return words_.nothing_computed ? Mark::cached : Mark::check;
      case Job::State::failed:
        return Mark::cross;
      case Job::State::stopped:
        return Mark::stopped;
    }
    return Mark::none;
  }

  Desk& desk_;
  std::shared_ptr<Job> job_;
  JobWords words_;
  double turn_ = 0;
  QPushButton* button_;
};

JobsDock::JobsDock(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(left_width, 3, 0, 3);
  column->setSpacing(0);
  column->addWidget(card_ = new ErrorCard(this));
  rows_ = new QVBoxLayout;
  rows_->setSpacing(0);
  column->addLayout(rows_);
  column->addStretch();
  auto* names = new QWidget(this);
  names->setGeometry(0, 0, left_width, 40);
  auto* words = new QVBoxLayout(names);
  words->setContentsMargins(12, 5, 2, 2);
  words->setSpacing(1);
  words->addWidget(named_label("title", tr("Jobs"), names));
  words->addWidget(count_ = named_label("second", {}, names));
  timer_.setInterval(redraws_millis);
  connect(&timer_, &QTimer::timeout, this, [this] {
    refresh();
    emit redrawn();
  });
  connect(card_, &ErrorCard::dismissed, this, [this] { desk_.acted(); });
  connect(card_, &ErrorCard::try_asked, this, [this] {
    card_->hide();
    emit again_asked(card_of_);
  });
}

void JobsDock::explain(const Job& job) {
  card_of_ = job.title();
  card_->show_lines(error_lines(job.title(), job.error()), job.title().find(" · ") != std::string::npos);
}

std::string JobsDock::card_words() const { return card_->isHidden() ? "" : card_->lines().whole(); }

QRect JobsDock::button_place(const Job* job) const {
  const auto row = by_job_.find(job);
  if (row == by_job_.end()) return {};
  QPushButton& button = row->second->button();
  return {button.mapToGlobal(QPoint(0, 0)), button.size()};
}

void JobsDock::refresh() {
  std::vector<std::shared_ptr<Job>> jobs = desk_.session->jobs().all();
  // What was only read is seen where it is drawn; while the step is dragged there is one after another.
  const auto is_over = [this](const auto& job) {
    return dismissed_.contains(job) ||
           (job->state() == Job::State::done && job->title().starts_with("read "));
  };
  std::erase_if(jobs, is_over);
  size_t running = 0;
  for (const auto& job : jobs) running += job->finished() ? 0 : 1;
  // The newest are at the bottom; what waits or runs is never left out before what is over.
  while (jobs.size() > most_rows) {
    const auto over = std::find_if(jobs.begin(), jobs.end(), [](const auto& job) { return job->finished(); });
    jobs.erase(over == jobs.end() ? jobs.end() - 1 : over);
  }
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
    connect(&made->button(), &QPushButton::clicked, this, [this, job] {
      if (!job->finished())
        job->stop();
      else if (job->state() == Job::State::failed && card_->isHidden())
        explain(*job);
      else
        dismissed_.insert(job);
      desk_.acted();
    });
    rows_->addWidget(made);
    by_job_[job.get()] = made;
  }
  count_->setText(running == 0 ? tr("none running") : tr("%1 of %2 running").arg(running).arg(jobs.size()));
  setVisible(!jobs.empty() || !card_->isHidden());
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
