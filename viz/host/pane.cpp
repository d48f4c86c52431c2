// How pointer and keys act on a view.
#include "viz/host/pane.h"

#include <algorithm>
#include <cmath>

#include "analysis/core/error.h"
#include "viz/host/measure.h"

namespace varve {

namespace {
constexpr double zoom_per_notch = 1.2, largest_zoom = 40;
constexpr double furthest_pan = 8;  // areas to the right: 4096 positions at their least width stay in reach
constexpr double furthest_neighbour = 40;  // wider than any gap between two marks
constexpr double drag_threshold = 4;       // a hand shakes less than this while clicking
constexpr double least_framed_inside = 24;
constexpr double flat_box = 10;  // less high: meant as a stretch of x
}  // namespace

void Pane::fit() {
  zoom_ = zoom_y_ = 1;
  pan_ = {};
}

void Pane::cancel() {
  drag_ = Drag::none;
  dragging_ = pressed_here_ = false;
}

void Pane::keep_in_reach(const Box& area) {
  // Nothing lies left of or above the start; a long prompt may run far to the right even at zoom 1.
  pan_.x = std::clamp(pan_.x, -area.w * zoom_ * furthest_pan, 0.0);
  pan_.y = std::clamp(pan_.y, -area.h * (zoom_y_ - 1), 0.0);
}

// What is under the pointer stays under it. Alt zooms along x only, Shift along y only.
void Pane::wheel_by(const Input& input, const Box& area) {
  const double factor = std::pow(zoom_per_notch, input.wheel);
  const auto zoom_about = [factor](double& zoom, double& pan, double at) {
    const double next = std::clamp(zoom * factor, 1.0, largest_zoom);
    pan = at - (at - pan) * next / zoom;
    zoom = next;
  };
  if (!input.with_shift) zoom_about(zoom_, pan_.x, input.pointer.x - area.x);
  if (!input.with_alt) zoom_about(zoom_y_, pan_.y, input.pointer.y - area.y);
}

Box Pane::dragged(const Box& plot) const {
  const double left = std::clamp(std::min(pressed_at_.x, now_at_.x), plot.x, plot.right());
  const double right = std::clamp(std::max(pressed_at_.x, now_at_.x), plot.x, plot.right());
  double top = std::clamp(std::min(pressed_at_.y, now_at_.y), plot.y, plot.bottom());
  double bottom = std::clamp(std::max(pressed_at_.y, now_at_.y), plot.y, plot.bottom());
  // A flat box means a stretch of x.
  if (drag_ == Drag::brush || bottom - top < flat_box) top = plot.y, bottom = plot.bottom();
  return {left, top, right - left, bottom - top};
}

// The box comes to fill the plot.
void Pane::zoom_into(const Box& box, const Box& area) {
  const Box plot = drawn_.plot.value_or(area);
  const auto stretch = [](double& zoom, double& pan, double from, double length, double to, double room) {
    if (!(length > 0)) return;
    const double next = std::clamp(zoom * room / length, 1.0, largest_zoom);
    pan = to - (from - pan) * next / zoom;
    zoom = next;
  };
  stretch(zoom_, pan_.x, box.x - area.x, box.w, plot.x - area.x, plot.w);
  stretch(zoom_y_, pan_.y, box.y - area.y, box.h, plot.y - area.y, plot.h);
}

void Pane::move_by(const Input& input, const Box& area, bool drag_zooms) {
  if (input.pressed && area.holds(input.pointer)) {
    pressed_here_ = true;
    dragging_ = false;
    pressed_at_ = input.pointer;
    pan_at_press_ = pan_;
    const bool is_other = input.is_right || input.with_control;
    drag_ = input.with_shift && !is_other && drawn_.step_at ? Drag::brush
            : is_other != drag_zooms                        ? Drag::box
                                                            : Drag::move;
  }
  if ((input.held || input.released) && pressed_here_) {
    now_at_ = input.pointer;
    const Point by{input.pointer.x - pressed_at_.x, input.pointer.y - pressed_at_.y};
    if (std::hypot(by.x, by.y) > drag_threshold) dragging_ = true;
    if (dragging_ && drag_ == Drag::move) pan_ = {pan_at_press_.x + by.x, pan_at_press_.y + by.y};
  }
  if (input.released && pressed_here_ && dragging_) {
    const Box box = dragged(drawn_.plot.value_or(area));
    if (drag_ == Drag::box && box.w > drag_threshold) zoom_into(box, area);
    if (drag_ == Drag::brush && drawn_.step_at) {
      const auto from = drawn_.step_at(pressed_at_), to = drawn_.step_at(now_at_);
      if (from && to) wish_.steps = std::pair(*from, *to);
    }
  }
  if (input.wheel != 0 && input.inside) wheel_by(input, area);
  if (input.double_clicked) {
    fit();
    drag_ = Drag::none;
  }
  keep_in_reach(area);
}

void Pane::draw_drag(Canvas& canvas, const Box& area, const Theme& theme) const {
  if (!dragging_ || (drag_ != Drag::box && drag_ != Drag::brush)) return;
  const Box box = dragged(drawn_.plot.value_or(area));
  if (!(box.w > 0)) return;
  Color veil = theme.accent;
  veil.a = 40;
  canvas.fill(box, veil);
  canvas.frame(box, theme.accent, 1);
}

std::optional<std::map<std::string, int64_t>> Pane::draw(Canvas& canvas, const Input& input,
                                                         const PaneContent& content) {
  wish_ = {};
  if (!content.view || !content.data) return std::nullopt;
  const Box area = canvas.area();
  move_by(input, area, content.drag_zooms);
  cache_.use(content.data);
  cache_.next_frame();
  const Look look{.theme = content.theme,
                  .area = area,
                  .zoom = zoom_,
                  .zoom_y = zoom_y_,
                  .pan = pan_,
                  .titled = false,
                  .cache = &cache_};
  try {
    drawn_ = content.view->draw(*content.data, content.options, content.selection, look, canvas);
  } catch (const Error& error) {
    // Options that do not go together (twice the same axis): said in place, where they can be changed.
    drawn_ = {};
    canvas.text({area.x + 12, area.y + 20}, error.what(), {.points = 8.5, .face = Face::sans},
                content.theme->ink);
  }

  find_start_again();
  hovered_.reset();
  if (input.inside && drawn_.hit && !dragging_) hovered_ = drawn_.hit(input.pointer);
  std::optional<std::map<std::string, int64_t>> clicked;
  if (input.released) {
    const bool is_click = pressed_here_ && !dragging_ && hovered_ && !input.is_right;
    if (is_click && !hovered_->sets.empty()) wish_.options = hovered_->sets;
    if (is_click && !hovered_->at.empty()) clicked = hovered_->at;
    cancel();
  }
  draw_drag(canvas, area, *content.theme);
  draw_set(canvas, content);
  if (cell_mode_ && drawn_.where)
    if (const std::optional<Box> box = drawn_.where(content.selection)) {
      const Box b = box->inset(-3);
      const Color ink = content.theme->accent;
      canvas.line({b.x, b.y}, {b.right(), b.y}, ink, 1, Dash::reference);
      canvas.line({b.x, b.bottom()}, {b.right(), b.bottom()}, ink, 1, Dash::reference);
      canvas.line({b.x, b.y}, {b.x, b.bottom()}, ink, 1, Dash::reference);
      canvas.line({b.right(), b.y}, {b.right(), b.bottom()}, ink, 1, Dash::reference);
    }
  if (hovered_) {
    if (hovered_->mark.w > 3 && hovered_->mark.h > 3) canvas.frame(hovered_->mark, content.theme->ink, 1);
    if (from_)
      draw_measured(canvas, input.pointer, *content.theme);
    else if (input.resting && !input.held)
      draw_tip(canvas, *hovered_, input.pointer, *content.theme);
  } else if (from_) {
    canvas.frame(from_->mark.inset(-2), content.theme->accent, 1.5);
  }
  if (!content.computing.empty()) {
    canvas.fill({area.x, area.y, area.w, 2}, content.theme->accent);
    const Font small{.points = 7.5, .face = Face::sans};
    const double width = canvas.text_width(content.computing, small) + 12;
    canvas.fill({area.right() - width, area.y + 2, width, 17}, content.theme->raised);
    canvas.text({area.right() - 6, area.y + 10.5}, content.computing, small, content.theme->accent,
                Align::right);
  }
  return clicked;
}

bool Pane::measure(const Selection& selection) {
  if (from_) {
    from_.reset();
    return true;
  }
  from_ = hovered_;
  if (!from_ || !from_->number) from_ = hit_of(selection);
  if (from_ && !from_->number) from_.reset();
  return from_.has_value();
}

void Pane::draw_set(Canvas& canvas, const PaneContent& content) const {
  if (!drawn_.where || content.set.empty()) return;
  canvas.push_clip(drawn_.plot.value_or(canvas.area()).inset(-3));
  for (const auto& member : content.set) {
    Selection place{.at = member};
    // A map of layers has no place for heads.
    if (!std::all_of(member.begin(), member.end(),
                     [&content](const auto& at) { return content.data->has_axis(at.first); }))
      continue;
    if (const auto step = content.selection.index("step")) place.at["step"] = *step;
    if (const std::optional<Box> box = drawn_.where(place)) {
      // Inside a cell, seen on any colour; around what is too small to lose room to a frame.
      const bool is_cell = std::min(box->w, box->h) > least_framed_inside;
      if (is_cell) canvas.frame(box->inset(2), content.theme->canvas, 1);
      canvas.frame(box->inset(is_cell ? 0.75 : -2), content.theme->accent, 1.5);
    }
  }
  canvas.pop_clip();
}

// Zoom, pan and another step move the mark or change its number.
void Pane::find_start_again() {
  if (!from_) return;
  const std::optional<Hit> now = hit_of({.at = from_->at});
  if (now && now->number && now->at == from_->at) from_ = now;
}

void Pane::draw_measured(Canvas& canvas, Point pointer, const Theme& theme) const {
  const auto middle = [](const Box& box) { return Point{box.x + box.w / 2, box.y + box.h / 2}; };
  const Point from = middle(from_->mark), to = middle(hovered_->mark);
  canvas.line(from, to, theme.canvas, 3);  // seen on any colour
  canvas.line(from, to, theme.accent, 1.5);
  canvas.frame(from_->mark.inset(-2), theme.accent, 1.5);
  Hit difference = *hovered_;
  difference.tip = measured(*from_, *hovered_);
  draw_tip(canvas, difference, pointer, theme);
}

std::optional<std::map<std::string, int64_t>> Pane::neighbour(const Selection& selection,
                                                              Direction direction) const {
  if (!drawn_.where || !drawn_.hit) return std::nullopt;
  const std::optional<Box> box = drawn_.where(selection);
  if (!box) return std::nullopt;
  const Point middle{box->x + box->w / 2, box->y + box->h / 2};
  const std::optional<Hit> here = drawn_.hit(middle);
  // Marks differ in size and have gaps between them: look from the edge outwards until another one is met.
  for (double away = 1; away <= furthest_neighbour; away *= 1.5) {
    Point to = middle;
    if (direction == Direction::left) to.x = box->x - away;
    if (direction == Direction::right) to.x = box->right() + away;
    if (direction == Direction::up) to.y = box->y - away;
    if (direction == Direction::down) to.y = box->bottom() + away;
    const std::optional<Hit> hit = drawn_.hit(to);
    if (hit && !hit->at.empty() && !(here && here->at == hit->at)) return hit->at;
  }
  return std::nullopt;
}

std::optional<Box> Pane::place_of(const Selection& selection) const {
  return drawn_.where ? drawn_.where(selection) : std::nullopt;
}

std::string tip_text_of(const Hit& hit) {
  std::string text;
  for (const TipRow& row : hit.tip) text += row.name + (row.value.empty() ? "" : "\t" + row.value) + "\n";
  return text;
}

std::string Pane::tip_text() const {
  if (!hovered_) return "";
  Hit shown = *hovered_;
  if (from_) shown.tip = measured(*from_, *hovered_);
  return varve::tip_text_of(shown);
}

std::optional<Hit> Pane::hit_of(const Selection& selection) const {
  if (!drawn_.where || !drawn_.hit) return std::nullopt;
  const std::optional<Box> box = drawn_.where(selection);
  if (!box) return std::nullopt;
  return drawn_.hit({box->x + box->w / 2, box->y + box->h / 2});
}

std::string Pane::tip_text_of(const Selection& selection) const {
  const std::optional<Hit> hit = hit_of(selection);
  return hit ? varve::tip_text_of(*hit) : "";
}

}  // namespace varve
