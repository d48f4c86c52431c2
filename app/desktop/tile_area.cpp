// Laying tiles out and moving them by hand.
#include "app/desktop/tile_area.h"

#include <QLabel>
#include <QMouseEvent>
#include <QPainter>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>
#include <utility>

#include "app/desktop/painter_canvas.h"
#include "app/session/layouts.h"
#include "viz/host/fonts.h"

namespace varve {

namespace {

constexpr double gutter = 4, tab_height = 24, least_side = 96;
constexpr double least_below = 170, least_top = 236;
constexpr double tallest_top = 0.62;  // of the whole, so that a deep model leaves room for the maps

QRect qrect(const Box& box) {
  return {static_cast<int>(box.x), static_cast<int>(box.y), static_cast<int>(box.w), static_cast<int>(box.h)};
}

}  // namespace

TileArea::TileArea(Desk& desk, QWidget* parent)
    : QWidget(parent), desk_(desk), fonts_(std::make_shared<ScreenFonts>(devicePixelRatioF())) {
  setMouseTracking(true);
  setMinimumSize(320, 180);
  drop_ = new QRubberBand(QRubberBand::Rectangle, this);
  nothing_ = new QWidget(this);
  nothing_->setObjectName("canvas");
  nothing_->setAttribute(Qt::WA_StyledBackground);
  auto* column = new QVBoxLayout(nothing_);
  auto* words = new QLabel(tr("No view is open."), nothing_);
  words->setObjectName("motto");
  auto* button = new QPushButton(tr("Open the layout Lens"), nothing_);
  button->setObjectName("primary");
  button->setProperty("large", true);
  column->addStretch();
  column->addWidget(words, 0, Qt::AlignCenter);
  column->addSpacing(12);
  column->addWidget(button, 0, Qt::AlignCenter);
  column->addStretch();
  connect(button, &QPushButton::clicked, this, [this] {
    desk_.session->use_layout(ready_layout(1), "Lens");
    desk_.acted();
  });
}

void TileArea::make_glyphs() { fonts_->build(); }

void TileArea::add_tile(int64_t id) {
  auto* made = new ViewTile(desk_, fonts_, id, this);
  tiles_[id] = made;
  made->canvas().show_times(shows_times_);
  connect(made, &ViewTile::activated, this, [this, id] {
    if (desk_.session->bench().active == id) return;
    desk_.session->activate(id);
    desk_.acted();
  });
  connect(made, &ViewTile::export_asked, this, &TileArea::export_asked);
  connect(made, &ViewTile::menu_asked, this, [this, id](const QPoint& at) { emit menu_asked(id, at); });
  connect(made, &ViewTile::close_asked, this, [this, id] {
    desk_.session->close_view(id);
    desk_.acted();
  });
  connect(&made->header_bar(), &ViewHeader::dragged, this,
          [this, id](const QPoint& at) { show_drop(id, at); });
  connect(&made->header_bar(), &ViewHeader::dropped, this, [this, id](const QPoint& at) { drop(id, at); });
  connect(&made->header_bar(), &ViewHeader::double_clicked, this, [this, id] {
    desk_.session->fill_with(id);
    desk_.acted();
  });
  connect(&made->canvas(), &ViewCanvas::painted, this, &TileArea::painted);
}

ViewTile* TileArea::tile(int64_t id) {
  const auto found = tiles_.find(id);
  return found == tiles_.end() ? nullptr : found->second;
}

ViewTile* TileArea::active() { return tile(desk_.session->bench().active); }

std::vector<ViewTile*> TileArea::shown() {
  std::vector<ViewTile*> all;
  for (const PlacedGroup& group : placed_.groups)
    if (ViewTile* front = tile(group.front); front && front->isVisible()) all.push_back(front);
  return all;
}

std::vector<QTabBar*> TileArea::tab_bars() {
  std::vector<QTabBar*> seen;
  for (QTabBar* bar : tabs_)
    if (bar->isVisible()) seen.push_back(bar);
  return seen;
}

void TileArea::focus_active() {
  if (ViewTile* view = active()) view->take_focus();
}

void TileArea::show_times(bool on) {
  shows_times_ = on;
  for (const auto& [id, tile] : tiles_) tile->canvas().show_times(on);
}

void TileArea::refresh() {
  const Bench& bench = desk_.session->bench();
  std::erase_if(tiles_, [&bench](const auto& entry) {
    if (bench.find(entry.first)) return false;
    entry.second->hide();
    entry.second->deleteLater();
    return true;
  });
  contents_.keep_only(bench);
  for (const OpenView& view : bench.views) {
    if (!tiles_.contains(view.id)) add_tile(view.id);
    tiles_.at(view.id)->refresh(view, contents_.of(*desk_.session, view), view.id == bench.active);
  }
  lay_out();
}

// The first part of a fitted column takes what it can use; the others take the rest.
Tile TileArea::fitted(const Tile& tiles) {
  if (!tiles.is_fitted || tiles.kind != Tile::Kind::column || tiles.parts.size() != 2) return tiles;
  if (height() < least_top + least_below + gutter) return tiles.parts.front();
  ViewTile* first = tile(tiles.parts.front().front);
  Tile result = tiles;
  if (!first || !first->content().view) return result;
  const ViewContent& content = first->content();
  if (content.view->enough_height && content.data->has_axis("layer") && content.data->has_axis("pos")) {
    const int words = first->words_height();
    // Measuring takes as long as drawing does; scrubbing changes nothing here.
    const std::array<int64_t, 6> now = {
        content.data->extent("layer"), content.data->extent("pos"), width(), height(), words, first->id()};
    if (now != fitted_for_) {
      fitted_for_ = now;
      const double wanted =
          words + content.view->enough_height(*content.data, content.options, content.selection, width());
      const double room = height() - gutter;
      const double most = std::max(least_top, height() * tallest_top);
      const double top = std::min(std::clamp(wanted, least_top, most), room - least_below);
      fitted_share_ = top / room;
    }
    result.shares = {fitted_share_, 1 - fitted_share_};
  }
  return result;
}

void TileArea::lay_out() {
  const Bench& bench = desk_.session->bench();
  const Box whole{0, 0, width() * 1.0, height() * 1.0};
  const bool is_filled = bench.filled != 0 && bench.find(bench.filled);
  placed_ =
      is_filled ? place(group_of({bench.filled}), whole, gutter) : place(fitted(bench.tiles), whole, gutter);
  nothing_->setVisible(bench.views.empty());
  nothing_->setGeometry(rect());
  show_tabs(placed_);
  std::vector<int64_t> seen;
  for (const PlacedGroup& group : placed_.groups) {
    Box box = group.box;
    if (group.views.size() > 1) {
      box.y += tab_height;
      box.h = std::max(0.0, box.h - tab_height);
    }
    if (ViewTile* front = tile(group.front)) {
      front->setGeometry(qrect(box));
      front->show();
      seen.push_back(group.front);
    }
  }
  for (const auto& [id, tile] : tiles_)
    if (std::find(seen.begin(), seen.end(), id) == seen.end()) tile->hide();
  update();
}

void TileArea::show_tabs(const Placed& placed) {
  size_t used = 0;
  for (const PlacedGroup& group : placed.groups) {
    if (group.views.size() < 2) continue;
    if (used == tabs_.size()) {
      auto* bar = new QTabBar(this);
      bar->setExpanding(false);
      bar->setDrawBase(false);
      bar->setElideMode(Qt::ElideNone);  // too many of them scroll
      bar->setFocusPolicy(Qt::TabFocus);
      connect(bar, &QTabBar::currentChanged, this, [this, used](int index) {
        if (index < 0 || static_cast<size_t>(index) >= tabs_of_[used].size()) return;
        desk_.session->bring_forward(tabs_of_[used][static_cast<size_t>(index)]);
        desk_.acted();
      });
      tabs_.push_back(bar);
      tabs_of_.emplace_back();
    }
    QTabBar* bar = tabs_[used];
    const QSignalBlocker quiet(bar);
    tabs_of_[used] = group.views;
    while (bar->count() > static_cast<int>(group.views.size())) bar->removeTab(bar->count() - 1);
    for (size_t i = 0; i < group.views.size(); ++i) {
      ViewTile* view = tile(group.views[i]);
      const QString title = view ? qtext(view->title()) : QString();
      if (static_cast<int>(i) == bar->count()) bar->addTab(title);
      bar->setTabText(static_cast<int>(i), title);
      bar->setTabToolTip(static_cast<int>(i), title);
      if (group.views[i] == group.front) bar->setCurrentIndex(static_cast<int>(i));
    }
    bar->setGeometry(qrect({group.box.x, group.box.y, group.box.w, tab_height}));
    bar->show();
    ++used;
  }
  for (size_t i = used; i < tabs_.size(); ++i) tabs_[i]->hide();
}

void TileArea::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  lay_out();
}

void TileArea::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), qcolor(desk_.theme->ground));
  for (size_t i = 0; i < tabs_.size(); ++i)
    if (tabs_[i]->isVisible()) painter.fillRect(tabs_[i]->geometry(), qcolor(desk_.theme->raised));
}

const Separator* TileArea::separator_at(const QPoint& at) const {
  for (const Separator& separator : placed_.separators)
    if (qrect(separator.box).adjusted(-1, -1, 1, 1).contains(at)) return &separator;
  return nullptr;
}

void TileArea::mousePressEvent(QMouseEvent* event) {
  const Separator* under = separator_at(event->pos());
  if (!under || event->button() != Qt::LeftButton) return;
  held_ = *under;
  is_held_ = true;
  held_at_ = event->pos();
  ++gesture_;  // one drag is one act for undo
  // What was fitted becomes the person's own: it begins from where the edge is seen.
  if (desk_.session->bench().tiles.is_fitted && desk_.session->bench().tiles.kind == Tile::Kind::column &&
      held_.path.empty()) {
    Separator as_kept = held_;
    const Tile& kept = desk_.session->bench().tiles;
    const double seen = held_.room * fitted_share_, stored = held_.room * kept.shares.front();
    desk_.session->drag_separator(as_kept, seen - stored + 0.001, least_side, gesture_);
  }
}

void TileArea::mouseMoveEvent(QMouseEvent* event) {
  if (!is_held_) {
    const Separator* under = separator_at(event->pos());
    setCursor(!under ? Qt::ArrowCursor : under->is_upright ? Qt::SplitHCursor : Qt::SplitVCursor);
    return;
  }
  const QPoint by = event->pos() - held_at_;
  held_at_ = event->pos();
  desk_.session->drag_separator(held_, held_.is_upright ? by.x() : by.y(), least_side, gesture_);
  desk_.acted();
}

void TileArea::mouseReleaseEvent(QMouseEvent*) { is_held_ = false; }

void TileArea::leaveEvent(QEvent*) { unsetCursor(); }

int64_t TileArea::group_at(const QPoint& at, Box& box) const {
  for (const PlacedGroup& group : placed_.groups)
    if (qrect(group.box).contains(at)) {
      box = group.box;
      return group.front;
    }
  return 0;
}

void TileArea::show_drop(int64_t id, const QPoint& global) {
  const QPoint at = mapFromGlobal(global);
  Box box;
  const int64_t onto = group_at(at, box);
  if (onto == 0 || onto == id) {
    drop_->hide();
    return;
  }
  drop_->setGeometry(qrect(half_of(box, edge_at(box, {at.x() * 1.0, at.y() * 1.0}))));
  drop_->show();
  drop_->raise();
}

void TileArea::drop(int64_t id, const QPoint& global) {
  drop_->hide();
  const QPoint at = mapFromGlobal(global);
  Box box;
  const int64_t onto = group_at(at, box);
  if (onto == 0 || onto == id) return;
  desk_.session->move_view(id, onto, edge_at(box, {at.x() * 1.0, at.y() * 1.0}));
  desk_.acted();
}

}  // namespace varve
