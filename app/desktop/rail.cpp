// The rail's widgets.
#include "app/desktop/rail.h"

#include <QHBoxLayout>
#include <QMouseEvent>
#include <QPainter>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "analysis/core/text.h"
#include "app/desktop/painter_canvas.h"
#include "app/desktop/style.h"

namespace varve {

namespace {
constexpr int rail_height = 118, left_width = 246;

QLabel* label(const char* name, QWidget* parent) {
  auto* made = new QLabel(parent);
  made->setObjectName(name);
  return made;
}

std::string shape_words(const Opened& opened) {
  const ModelSpec& spec = opened.spec;
  std::string words = std::to_string(spec.layers) + " layers · " + std::to_string(spec.heads) + " heads";
  if (spec.experts > 0) words += " · " + std::to_string(spec.experts) + " experts";
  const char* stops = spec.experts > 0 ? " steps" : " checkpoints";  // the shorter word where more is said
  return words + " · " + show_count(static_cast<int64_t>(opened.stops.size())) + stops;
}

std::string tokens_words(const Opened& opened, const Stop& stop) {
  std::string words;
  if (stop.tokens >= 0) words = show_count(stop.tokens) + " tokens";
  if (const LossPoint* loss = opened.loss_at(stop.step))
    words += (words.empty() ? "" : " · ") + std::string("loss ") + show_number(loss->nats) + " nats";
  return words.empty() ? "no training log" : words;
}

std::string weights_words(const Opened& opened, const std::string& branch) {
  std::string words = "branch " + branch;
  for (const CheckpointRecord& checkpoint : opened.store->series().checkpoints)
    if (!checkpoint.tensors.empty()) {
      words += " · " + std::string(name_of(checkpoint.tensors.front().type)) + " weights, raw";
      break;
    }
  return words;
}

}  // namespace

RailAxis::RailAxis(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setAccessibleName(tr("Checkpoints by step"));
}

Box RailAxis::area() const { return {12, 0, width() - 12.0, height() * 1.0}; }

RailLook RailAxis::look() const {
  const Choice& choice = desk_.session->choice();
  return {.area = area(),
          .theme = desk_.theme,
          .pointer = pointer_,
          .run = desk_.session->current_run(),
          .events = events_,
          .branch = choice.branch,
          .pin = choice.pin,
          .brush = choice.brush,
          .first_lane = first_lane_};
}

void RailAxis::refresh() {
  const Session& session = *desk_.session;
  if (session_of_ != &session || events_of_ != session.revision()) {
    session_of_ = &session;
    events_of_ = session.revision();
    events_ = session.opened() ? rail_events(session) : std::vector<RailEvent>{};
  }
  // Keeps the branch that is looked at among the lanes that are seen.
  if (session.opened()) {
    const std::vector<std::string>& branches = session.opened()->branches;
    const auto at = static_cast<size_t>(std::find(branches.begin(), branches.end(), session.choice().branch) -
                                        branches.begin());
    const size_t last = branches.size() > most_lanes ? branches.size() - most_lanes : 0;
    first_lane_ = std::min(first_lane_, last);
    if (at < branches.size() && at < first_lane_) first_lane_ = at;
    if (at < branches.size() && at >= first_lane_ + most_lanes) first_lane_ = at - most_lanes + 1;
    if (session.stop())
      setAccessibleDescription(qtext("step " + show_count(session.stop()->step) + ", " +
                                     std::to_string(session.stop_index() + 1) + " of " +
                                     std::to_string(session.stops().size())));
  }
  update();
}

void RailAxis::paintEvent(QPaintEvent*) {
  if (!desk_.session->opened()) return;
  QPainter painter(this);
  PainterCanvas canvas(painter, area(), devicePixelRatioF());
  draw_rail(*desk_.session->opened(), desk_.session->stop()->step, look(), canvas);
  if (hasFocus()) canvas.frame({1, 1, width() - 2.0, height() - 2.0}, desk_.theme->accent, 2);
}

void RailAxis::go_to(double x) {
  if (!desk_.session->opened()) return;
  const double step = rail_scale(*desk_.session->opened(), area()).value(x);
  if (!std::isfinite(step)) return;
  if (brushing_)
    desk_.session->brush(std::pair(brushed_from_, static_cast<int64_t>(std::llround(step))), gesture_);
  else
    desk_.session->go_to_step(std::llround(step), gesture_);
  desk_.acted();
}

void RailAxis::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton || !desk_.session->opened()) return;
  const Opened& opened = *desk_.session->opened();
  const Point at{event->position().x(), event->position().y()};
  ++gesture_;  // one drag is one act for undo
  pointer_.reset();
  if (const auto hit = event_at(opened, look(), at)) {
    desk_.session->go_to_step(hit->step);
    desk_.acted();
    return;
  }
  if (const std::string lane = lane_at(opened, look(), at); opened.branches.size() > 1 && !lane.empty())
    desk_.session->set_branch(lane);
  brushing_ = event->modifiers().testFlag(Qt::ShiftModifier);
  const double step = rail_scale(opened, area()).value(at.x);
  if (brushing_ && std::isfinite(step)) brushed_from_ = std::llround(step);
  dragging_ = true;
  go_to(at.x);
}

void RailAxis::mouseMoveEvent(QMouseEvent* event) {
  if (dragging_)
    go_to(event->position().x());
  else
    pointer_ = Point{event->position().x(), event->position().y()};
  update();
}

void RailAxis::mouseReleaseEvent(QMouseEvent*) { dragging_ = brushing_ = false; }

void RailAxis::wheelEvent(QWheelEvent* event) {
  const int notches = event->angleDelta().y();
  if (!desk_.session->opened() || notches == 0) return;
  const size_t branches = desk_.session->opened()->branches.size();
  if (branches <= most_lanes) return;
  if (notches < 0)
    first_lane_ = std::min(first_lane_ + 1, branches - most_lanes);
  else if (first_lane_ > 0)
    --first_lane_;
  update();
}

void RailAxis::leaveEvent(QEvent*) {
  pointer_.reset();
  update();
}

Rail::Rail(Desk& desk, QWidget* parent) : QWidget(parent), desk_(desk) {
  setFixedHeight(rail_height);
  auto* left = new QWidget(this);
  left->setFixedWidth(left_width);
  auto* column = new QVBoxLayout(left);
  column->setContentsMargins(12, 8, 8, 8);
  column->setSpacing(1);
  column->addWidget(name_ = new QPushButton(left));
  name_->setObjectName("series");
  name_->setFocusPolicy(Qt::TabFocus);
  name_->setAccessibleName(tr("Series"));
  column->addWidget(shape_ = label("second", left));
  auto* transport = new QHBoxLayout;
  transport->setSpacing(4);
  first_ = add_button("", tr("First step (Home)"));
  previous_ = add_button("", tr("Previous step (Left)"));
  play_ = add_button("primary", tr("Play (Space)"));
  next_ = add_button("", tr("Next step (Right)"));
  last_ = add_button("", tr("Last step (End)"));
  play_->setFixedSize(34, 22);
  for (QToolButton* button : {first_, previous_, play_, next_, last_}) transport->addWidget(button);
  transport->addStretch();
  auto* word = label("third", left);
  word->setText(tr("step"));
  transport->addWidget(word);
  transport->addWidget(step_ = label("readout", left));
  column->addSpacing(5);
  column->addLayout(transport);
  column->addSpacing(5);
  column->addWidget(tokens_ = label("second", left));
  column->addWidget(branch_ = label("third", left));
  column->addStretch();
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  row->addWidget(left);
  row->addWidget(axis_ = new RailAxis(desk, this), 1);

  connect(name_, &QPushButton::clicked, this,
          [this] { emit series_menu_asked(name_->mapToGlobal(QPoint(0, name_->height()))); });
  const auto act = [this](QToolButton* button, auto what) {
    connect(button, &QToolButton::clicked, this, [this, what] {
      what(*desk_.session);
      desk_.acted();
    });
  };
  act(first_, [](Session& session) { session.move(-1'000'000); });
  act(previous_, [](Session& session) { session.move(-1); });
  act(play_, [](Session& session) { session.play(!session.playing()); });
  act(next_, [](Session& session) { session.move(1); });
  act(last_, [](Session& session) { session.move(1'000'000); });
}

QToolButton* Rail::add_button(const char* name, const QString& tip) {
  auto* button = new QToolButton(this);
  button->setObjectName(name);
  button->setToolTip(tip);
  button->setAccessibleName(tip);
  button->setFixedSize(24, 22);
  button->setIconSize({12, 12});
  button->setFocusPolicy(Qt::TabFocus);
  return button;
}

void Rail::set_icons() {
  const bool playing = desk_.session->playing();
  if (icons_of_ == desk_.theme && icon_plays_ == playing) return;
  icons_of_ = desk_.theme;
  icon_plays_ = playing;
  first_->setIcon(glyph_icon(Glyph::first, *desk_.theme));
  previous_->setIcon(glyph_icon(Glyph::previous, *desk_.theme));
  play_->setIcon(glyph_icon(playing ? Glyph::pause : Glyph::play, *desk_.theme, true));
  next_->setIcon(glyph_icon(Glyph::next, *desk_.theme));
  last_->setIcon(glyph_icon(Glyph::last, *desk_.theme));
}

void Rail::refresh() {
  set_icons();
  const auto& opened = desk_.session->opened();
  if (!opened) return;
  const Stop& stop = *desk_.session->stop();
  const QString full = qtext(opened->store->folder().string());
  name_->setText(name_->fontMetrics().elidedText(qtext(opened->name()), Qt::ElideMiddle, left_width - 28));
  name_->setToolTip(full + "\n" + tr("Click for the other series"));
  const QString shape = qtext(shape_words(*opened));
  shape_->setText(shape_->fontMetrics().elidedText(shape, Qt::ElideRight, left_width - 16));
  shape_->setToolTip(shape);
  step_->setText(qtext(show_count(stop.step)));
  tokens_->setText(qtext(tokens_words(*opened, stop)));
  branch_->setText(qtext(weights_words(*opened, desk_.session->choice().branch)));
  const auto last = static_cast<int64_t>(desk_.session->stops().size()) - 1;
  first_->setEnabled(desk_.session->stop_index() > 0);
  previous_->setEnabled(desk_.session->stop_index() > 0);
  next_->setEnabled(desk_.session->stop_index() < last);
  last_->setEnabled(desk_.session->stop_index() < last);
  axis_->refresh();
}

void Rail::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), qcolor(desk_.theme->panel));
  painter.fillRect(QRect(0, height() - 1, width(), 1), qcolor(desk_.theme->hair));
  painter.fillRect(QRect(left_width, 6, 1, height() - 14), qcolor(desk_.theme->hair));
}

}  // namespace varve
