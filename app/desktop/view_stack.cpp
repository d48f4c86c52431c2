// How the views share the room, and what those below show.
#include "app/desktop/view_stack.h"

#include <algorithm>
#include <utility>

namespace varve {

namespace {

constexpr int gutter = 4, least_below = 170, least_top = 236, least_both = least_top + least_below;
constexpr int map_share = 496, curves_share = 358;
constexpr double tallest_top = 0.62;  // of the whole, so that a deep model leaves room for the maps

}  // namespace

ViewStack::ViewStack(Desk& desk, QWidget* parent) : QSplitter(Qt::Vertical, parent), desk_(desk) {
  setHandleWidth(gutter);
  setChildrenCollapsible(false);
  addWidget(top_ = new ViewHost(desk, this));
  addWidget(below_ = new QSplitter(Qt::Horizontal, this));
  below_->setHandleWidth(gutter);
  below_->setChildrenCollapsible(false);
  below_->addWidget(map_ = new SideView(desk, tr("By layer and step"), below_));
  below_->addWidget(curves_ = new SideView(desk, tr("By layer"), below_));
  below_->setSizes({map_share, curves_share});
  below_->hide();
  connect(this, &QSplitter::splitterMoved, this, [this] { is_shared_by_hand_ = true; });
  connect(top_, &ViewHost::export_asked, this, [this] {
    top_->canvas().setFocus();
    emit export_asked();
  });
  for (SideView* side : {map_, curves_}) {
    connect(side, &SideView::export_asked, this, &ViewStack::export_asked);
    side->canvas().choose = [this](const std::map<std::string, int64_t>& at) { go_to(at); };
  }
  for (ViewCanvas* canvas : {&top_->canvas(), &map_->canvas(), &curves_->canvas()})
    connect(canvas, &ViewCanvas::painted, this, &ViewStack::painted);
}

ActiveView ViewStack::active() {
  for (SideView* side : {map_, curves_})
    if (side->canvas().hasFocus() && side->isVisible())
      return {&side->canvas(), side == map_ ? "lens-by-step" : "lens-by-layer"};
  const std::string name = top_->view() ? top_->view()->name : "view";
  return {&top_->canvas(), name + "-step" + std::to_string(desk_.session->shown().step)};
}

void ViewStack::go_to(const std::map<std::string, int64_t>& at) {
  std::map<std::string, int64_t> rest = at;
  std::optional<int64_t> step;
  const Array* ticks = over_training_ ? over_training_->coord("step") : nullptr;
  if (const auto place = rest.extract("step"); !place.empty() && ticks && place.mapped() < ticks->size())
    step = static_cast<int64_t>(ticks->number(place.mapped()));
  desk_.session->select(rest, step);
}

void ViewStack::refresh() {
  top_->refresh();
  const PaneContent& above = top_->content();
  const auto colour = above.options.find("colour");
  const bool is_lens_shown = above.view && above.view->name == "lens-table" && colour != above.options.end();
  over_training_ = is_lens_shown ? by_step_.of(*desk_.session, colour->second) : nullptr;
  if (!over_training_) {
    below_->hide();
    return;
  }
  PaneContent content;
  content.theme = desk_.theme;
  content.data = over_training_;
  const Selection& selection = desk_.session->choice().selection;
  if (const auto layer = selection.index("layer")) content.selection.at["layer"] = *layer;
  const Array& steps = *over_training_->coord("step");
  for (int64_t i = 0; i < steps.size(); ++i)
    if (steps.number(i) == static_cast<double>(desk_.session->shown().step)) content.selection.at["step"] = i;

  const std::string& quantity = colour->second;
  content.view = views().find("heat-map");
  content.options = normalise(content.view->options,
                              {{"array", quantity},
                               {"x", "step"},
                               {"y", "layer"},
                               {"map", above.options.at("map")},
                               {"range", above.options.at("range")},
                               {"log", quantity.rfind("rank_", 0) == 0 ? "true" : "false"}},
                              "heat-map");
  map_->show_content(content);
  content.view = views().find("lines");
  content.options = normalise(content.view->options,
                              {{"array", quantity},
                               {"x", "layer"},
                               {"series", "step"},
                               {"log", quantity.rfind("rank_", 0) == 0 ? "true" : "false"}},
                              "lines");
  curves_->show_content(std::move(content));
  below_->setVisible(height() >= least_both);
  share_height();
}

void ViewStack::resizeEvent(QResizeEvent* event) {
  QSplitter::resizeEvent(event);
  below_->setVisible(over_training_ && height() >= least_both);
  share_height();
}

// The table takes what it can use; the maps below take the rest.
void ViewStack::share_height() {
  if (!over_training_ || !below_->isVisibleTo(this) || is_shared_by_hand_) return;
  const PaneContent& above = top_->content();
  if (!above.view->enough_height) return;
  const int words = top_->canvas().mapTo(top_, QPoint(0, 0)).y();  // header and options
  // Measuring takes as long as drawing does; scrubbing changes nothing here.
  const std::array<int64_t, 5> now = {above.data->extent("layer"), above.data->extent("pos"), width(),
                                      height(), words};
  if (now == shared_for_) return;
  shared_for_ = now;
  const double wanted =
      words + above.view->enough_height(*above.data, above.options, above.selection, top_->width());
  const double most = std::max<double>(least_top, height() * tallest_top);
  const int top = static_cast<int>(std::clamp<double>(wanted, least_top, most));
  const int below = std::max(least_below, height() - top - gutter);
  if (sizes() != QList<int>{height() - below - gutter, below}) setSizes({height() - below - gutter, below});
}

}  // namespace varve
