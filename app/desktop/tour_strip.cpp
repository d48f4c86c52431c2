// The tour's strip.
#include "app/desktop/tour_strip.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QVBoxLayout>

#include "analysis/core/error.h"
#include "app/desktop/cards.h"
#include "app/desktop/painter_canvas.h"

namespace varve {

TargetFrame::TargetFrame(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setAttribute(Qt::WA_NoSystemBackground);
  hide();
}

void TargetFrame::surround(const QRect& place) {
  setVisible(!place.isEmpty());
  if (place.isEmpty()) return;
  setGeometry(place);
  // Only its edge is there: a window over a canvas would have to be mixed with it in every frame.
  setMask(QRegion(rect()) - QRegion(rect().adjusted(2, 2, -2, -2)));
  raise();
}

void TargetFrame::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), qcolor(desk_.theme->accent));
}

TourStrip::TourStrip(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setFixedHeight(height_px);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(16, 6, 12, 6);
  row->setSpacing(12);
  row->addWidget(number_ = named_label("readout", {}, this));
  auto* words = new QVBoxLayout;
  words->setSpacing(1);
  words->addWidget(after_ = named_label("second", {}, this));
  words->addWidget(sentence_ = new QLabel(this));
  for (QLabel* label : {after_, sentence_}) {
    label->setWordWrap(true);
    label->setMinimumWidth(100);
  }
  row->addLayout(words, 1);
  row->addWidget(back_ = new QPushButton(tr("Back"), this));
  row->addWidget(skip_ = new QPushButton(tr("Skip"), this));
  row->addWidget(leave_ = new QPushButton(tr("Leave"), this));
  leave_->setToolTip(tr("The start page goes on from here"));
  connect(back_, &QPushButton::clicked, this, [this] {
    tour_.back();
    show_step();
  });
  connect(skip_, &QPushButton::clicked, this, [this] {
    tour_.skip();
    show_step();
  });
  connect(leave_, &QPushButton::clicked, this, [this] {
    tour_.end();
    show_step();
  });
}

void TourStrip::remember_in(const std::filesystem::path& file) {
  memory_ = file;
  try {
    tour_ = Tour(read_tour_progress(file));
  } catch (const Error&) {
    tour_ = Tour();  // a damaged number costs no more than beginning anew
  }
}

void TourStrip::begin() {
  tour_.begin();
  show_step();
}

// Seen or not is its bar's affair: what a tool bar holds cannot show itself.
void TourStrip::show_step() {
  number_->setText(tr("%1 of %2").arg(tour_.step() + 1).arg(Tour::steps));
  after_->setText(qtext(tour_.after()));
  after_->setVisible(!tour_.after().empty());
  sentence_->setText(qtext(tour_.sentence()));
  back_->setEnabled(tour_.step() > 0);
  if (!tour_.running() && frame_) frame_->surround({});
  if (!memory_.empty())
    desk_.session->errands().ask<bool>(
        "keep the tour's progress",
        [memory = memory_, done = tour_.done()](Task&) {
          write_tour_progress(memory, done);
          return true;
        },
        [](bool) {},
        [this](const std::string& words) {
          after_->setText(qtext(words));  // the tour itself goes on
          after_->show();
        });
  emit moved();
  if (tour_.finished() && !tour_.running()) emit finished();
}

void TourStrip::look(const TourSight& sight, const std::function<QRect(Tour::Target)>& place_of) {
  if (!tour_.running()) return;
  if (tour_.see(sight)) show_step();
  if (!frame_) frame_ = new TargetFrame(desk_, window());
  const QRect place = tour_.running() ? place_of(tour_.target()) : QRect();
  frame_->surround(place.isEmpty() ? QRect() : QRect(window()->mapFromGlobal(place.topLeft()), place.size()));
}

std::string TourStrip::words() const {
  if (isHidden()) return "";
  return number_->text().toStdString() + " " +
         (after_->isHidden() ? "" : after_->text().toStdString() + " ") + sentence_->text().toStdString();
}

void TourStrip::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), qcolor(desk_.theme->soft));
  painter.fillRect(QRect(0, 0, width(), 2), qcolor(desk_.theme->accent));
}

}  // namespace varve
