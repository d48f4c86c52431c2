// Drawing the inspector.
#include "app/desktop/inspector_drawing.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/core/text.h"
#include "app/session/results.h"
#include "viz/draw/axes.h"

namespace varve {

namespace {

constexpr Font heading_font{.points = 10, .face = Face::sans_bold};
constexpr Font title_font{.points = 8.5, .face = Face::sans_bold};
constexpr Font row_font{.points = 8, .face = Face::sans};
constexpr Font token_font{.points = 8, .face = Face::mono};
constexpr Font token_bold{.points = 8, .face = Face::mono_bold};
constexpr Font small_font{.points = 7.5, .face = Face::sans};
constexpr Font small_bold{.points = 7.5, .face = Face::sans_bold};
constexpr double side = 12, bar_row = 18, fact_row = 17, section_gap = 14, plot_height = 116;

class Page {
 public:
  Page(const Theme& theme, Canvas& canvas)
      : theme_(theme), canvas_(canvas), left_(canvas.area().x + side), right_(canvas.area().right() - side) {}

  void heading(const std::string& words, const std::string& under) {
    y_ = canvas_.area().y + 20;
    canvas_.text({left_, y_}, elide(canvas_, words, heading_font, right_ - left_), heading_font, theme_.ink);
    y_ += 20;
    if (!under.empty()) {
      canvas_.text({left_, y_}, elide(canvas_, under, row_font, right_ - left_), row_font, theme_.ink2);
      y_ += 16;
    }
    y_ += 2;
    rule();
  }

  void section(const std::string& title, const std::string& note) {
    y_ += section_gap;
    canvas_.text({left_, y_}, title, title_font, theme_.ink);
    if (!note.empty()) canvas_.text({right_, y_}, note, small_font, theme_.ink3, Align::right);
    y_ += 9;
    canvas_.line({left_, y_}, {right_, y_}, theme_.hair);
    y_ += 11;
  }

  void fact(const Fact& fact) {
    const Color ink = fact.tone == Fact::Tone::good  ? theme_.ok
                      : fact.tone == Fact::Tone::bad ? theme_.fail
                                                     : theme_.ink;
    const Font font = fact.mono ? token_font : row_font;
    // The number is never cut for a long name.
    const double most =
        right_ - left_ - canvas_.text_width(fact.value, font) -
        (fact.interval.empty() ? 0 : canvas_.text_width(fact.interval, small_font) + 8) -
        (fact.at_pin.empty() ? 0 : canvas_.text_width("(" + fact.at_pin + ")", small_font) + 6) - 10;
    const std::string name = elide(canvas_, fact.name, row_font, std::max(most, 60.0));
    const double name_width = canvas_.text_width(name, row_font);
    canvas_.text({left_, y_}, name, row_font, theme_.ink2);
    double right = right_;
    if (!fact.interval.empty()) {
      canvas_.text({right, y_}, fact.interval, small_font, theme_.ink3, Align::right);
      right -= canvas_.text_width(fact.interval, small_font) + 8;
    }
    if (!fact.at_pin.empty()) {
      const std::string words = "(" + fact.at_pin + ")";
      canvas_.text({right, y_}, words, small_font, theme_.ink3, Align::right);
      right -= canvas_.text_width(words, small_font) + 6;
    }
    const double room = std::max(right - left_ - name_width - 8, 60.0);
    canvas_.text({right, y_}, elide(canvas_, fact.value, font, room), font, ink, Align::right);
    y_ += fact_row;
  }

  // With an A its probability stands beside the number and as a tick on the bar.
  void top_token(const TopToken& token, bool has_pin) {
    constexpr double label_width = 86;
    const double pin_width = has_pin ? 40 : 0, number_width = 46 + pin_width;
    const Font font = token.is_true ? token_bold : token_font;
    canvas_.text({left_ + label_width - 8, y_}, elide(canvas_, token.text, font, label_width - 8), font,
                 theme_.ink, Align::right);
    const double bar_left = left_ + label_width, bar_room = right_ - bar_left - number_width;
    canvas_.fill({bar_left, y_ - 5, bar_room, 10}, theme_.raised);
    const Color color = token.is_true ? theme_.category[0] : mix(theme_.category[0], theme_.panel, 0.45);
    if (std::isfinite(token.probability))
      canvas_.fill({bar_left, y_ - 5, std::max(1.0, bar_room * std::clamp(token.probability, 0.0, 1.0)), 10},
                   color);
    if (std::isfinite(token.at_pin))
      canvas_.fill({bar_left + bar_room * std::clamp(token.at_pin, 0.0, 1.0) - 1, y_ - 7, 2, 14},
                   theme_.category[1]);
    canvas_.text({right_ - pin_width, y_}, show_probability(token.probability), row_font, theme_.ink,
                 Align::right);
    if (has_pin)
      canvas_.text({right_, y_}, show_probability(token.at_pin), small_font, theme_.ink3, Align::right);
    y_ += bar_row;
  }

  void note(const std::string& words) {
    std::string line;
    for (const std::string& word : split(words, ' ')) {
      const std::string longer = line.empty() ? word : line + " " + word;
      if (canvas_.text_width(longer, row_font) > right_ - left_ && !line.empty()) {
        canvas_.text({left_, y_}, line, row_font, theme_.ink2);
        y_ += fact_row;
        line = word;
      } else {
        line = longer;
      }
    }
    if (!line.empty()) canvas_.text({left_, y_}, line, row_font, theme_.ink2);
    y_ += fact_row;
  }

  void plot(const OverTraining& over, int64_t selected_layer, int64_t current_step,
            std::optional<int64_t> pin_step);
  void course(const Course& course, int64_t current_step, std::optional<int64_t> pin_step);
  double bottom() const { return y_ - canvas_.area().y + 4; }

 private:
  void rule() {
    canvas_.line({canvas_.area().x, y_}, {canvas_.area().right(), y_}, theme_.hair);
    y_ += 2;
  }
  const Theme& theme_;
  Canvas& canvas_;
  double left_, right_, y_ = 0;
};

// Labels at the ends of lines, moved apart so that none covers another; the selected one stays nearest its
// line.
std::vector<std::pair<int64_t, double>> end_labels(const OverTraining& over, int64_t selected,
                                                   const std::function<double(double)>& y_of) {
  std::vector<std::pair<int64_t, double>> labels;
  const auto add = [&](const TrainingLine& line) {
    if (line.probability.empty() || !std::isfinite(line.probability.back())) return;
    const double y = y_of(line.probability.back());
    for (const auto& [layer, at] : labels)
      if (std::abs(at - y) < 11) return;
    labels.emplace_back(line.layer, y);
  };
  for (const TrainingLine& line : over.lines)
    if (line.layer == selected) add(line);
  for (auto line = over.lines.rbegin(); line != over.lines.rend(); ++line)
    if (line->layer != selected) add(*line);
  return labels;
}

void Page::plot(const OverTraining& over, int64_t selected_layer, int64_t current_step,
                std::optional<int64_t> pin_step) {
  const auto layers = static_cast<int64_t>(over.lines.size()) - 1;
  const Box plot{left_ + 26, y_ + 2, right_ - left_ - 26 - 44, plot_height};
  canvas_.fill(plot, theme_.canvas);
  std::vector<double> steps(over.steps.begin(), over.steps.end());
  const Scale x = step_scale(steps, plot.x + 4, plot.right() - 4);
  const auto y_of = [&plot](double p) { return plot.bottom() - p * plot.h; };
  for (const double p : {0.0, 0.5, 1.0}) {
    canvas_.line({plot.x, y_of(p)}, {plot.right(), y_of(p)}, p == 0 ? theme_.strong : theme_.grid);
    canvas_.text({plot.x - 6, y_of(p)},
                 p == 0.5 ? "0.5"
                 : p == 0 ? "0"
                          : "1",
                 small_font, theme_.ink3, Align::right);
  }
  const Measure measure = [this](const std::string& text) { return canvas_.text_width(text, small_font); };
  for (const Tick& tick : ticks_of(x, plot.x, plot.right(), measure, true)) {
    const double at = x.pixel(tick.value);
    if (!std::isfinite(at) || tick.label.empty()) continue;
    canvas_.line({at, plot.bottom()}, {at, plot.bottom() + 4}, theme_.strong);
    canvas_.text({at, plot.bottom() + 12}, tick.label, small_font, theme_.ink3, Align::center);
  }
  canvas_.push_clip({plot.x, plot.y - 4, plot.w + 4, plot.h + 8});
  const auto draw_line = [&](const TrainingLine& line, Color color, double width) {
    std::vector<Point> points;
    for (size_t i = 0; i < line.probability.size(); ++i) {
      const Point point{x.pixel(steps[i]), y_of(line.probability[i])};
      // The curve does not cross the axis break: step 0 is a point.
      if (steps[i] <= 0 && std::isfinite(point.y))
        canvas_.disc(point, 1.7, color);
      else
        points.push_back(point);
      if (steps.size() <= 60 && line.layer == selected_layer && std::isfinite(point.y))
        canvas_.disc(point, 2.2, color);
    }
    canvas_.polyline(points, color, width);
  };
  for (const TrainingLine& line : over.lines)
    if (line.layer != selected_layer) draw_line(line, theme_.strong, 1);
  if (pin_step)
    if (const double at = x.pixel(static_cast<double>(*pin_step)); std::isfinite(at)) {
      canvas_.line({at, plot.y}, {at, plot.bottom()}, theme_.category[1]);
      canvas_.text({at + (at > plot.x + 14 ? -4 : 4), plot.y + 8}, "A", small_bold, theme_.category_text[1],
                   at > plot.x + 14 ? Align::right : Align::left);
    }
  const double now = x.pixel(static_cast<double>(current_step));
  if (std::isfinite(now)) canvas_.line({now, plot.y}, {now, plot.bottom()}, theme_.ink);
  for (const TrainingLine& line : over.lines)
    if (line.layer == selected_layer) draw_line(line, theme_.category[0], 2);
  canvas_.pop_clip();
  for (const auto& [layer, at] : end_labels(over, selected_layer, y_of))
    canvas_.text({plot.right() + 6, at}, layer_name(layer, layers),
                 layer == selected_layer ? small_bold : small_font,
                 layer == selected_layer ? theme_.category_text[0] : theme_.ink3);
  canvas_.text({plot.x + plot.w / 2, plot.bottom() + 27}, "training step, log", small_font, theme_.ink3,
               Align::center);
  y_ = plot.bottom() + 36;
}

void Page::course(const Course& course, int64_t current_step, std::optional<int64_t> pin_step) {
  const Box plot{left_ + 40, y_ + 2, right_ - left_ - 46, plot_height};
  canvas_.fill(plot, theme_.canvas);
  double low = 1e300, high = -1e300;
  for (const std::vector<double>* of : {&course.value, &course.low, &course.high})
    for (const double value : *of)
      if (std::isfinite(value)) low = std::min(low, value), high = std::max(high, value);
  if (low > high) low = 0, high = 1;
  const auto [from, to] = rounded_out(std::min(low, 0.0), std::max(high, 0.0));
  const Scale y = linear_scale(from, to, plot.bottom(), plot.y);
  std::vector<double> steps(course.steps.begin(), course.steps.end());
  const Scale x = step_scale(steps, plot.x + 4, plot.right() - 4);
  const Measure across = [this](const std::string& text) { return canvas_.text_width(text, small_font); };
  for (const Tick& tick : ticks_of(
           y, plot.bottom(), plot.y, [](const std::string&) { return 10.0; }, false, 18)) {
    if (tick.label.empty()) continue;
    const double at = y.pixel(tick.value);
    canvas_.line({plot.x, at}, {plot.right(), at}, tick.value == 0 ? theme_.strong : theme_.grid);
    canvas_.text({plot.x - 6, at}, tick.label, small_font, theme_.ink3, Align::right);
  }
  for (const Tick& tick : ticks_of(x, plot.x, plot.right(), across, true)) {
    const double at = x.pixel(tick.value);
    if (!std::isfinite(at) || tick.label.empty()) continue;
    canvas_.line({at, plot.bottom()}, {at, plot.bottom() + 4}, theme_.strong);
    canvas_.text({at, plot.bottom() + 12}, tick.label, small_font, theme_.ink3, Align::center);
  }
  canvas_.push_clip({plot.x, plot.y - 4, plot.w + 4, plot.h + 8});
  const auto points_of = [&](const std::vector<double>& values) {
    std::vector<Point> points;
    for (size_t i = 0; i < values.size() && i < steps.size(); ++i)
      if (steps[i] > 0) points.push_back({x.pixel(steps[i]), y.pixel(values[i])});
    return points;
  };
  if (!course.low.empty() && course.low.size() == course.high.size())
    for (const std::vector<double>* edge : {&course.low, &course.high})
      canvas_.polyline(points_of(*edge), mix(theme_.category[0], theme_.canvas, 0.55), 1);
  if (pin_step)
    if (const double at = x.pixel(static_cast<double>(*pin_step)); std::isfinite(at))
      canvas_.line({at, plot.y}, {at, plot.bottom()}, theme_.category[1]);
  if (const double now = x.pixel(static_cast<double>(current_step)); std::isfinite(now))
    canvas_.line({now, plot.y}, {now, plot.bottom()}, theme_.ink);
  canvas_.polyline(points_of(course.value), theme_.category[0], 2);
  if (steps.size() <= 60)
    for (size_t i = 0; i < course.value.size(); ++i)
      if (const Point p{x.pixel(steps[i]), y.pixel(course.value[i])};
          std::isfinite(p.x) && std::isfinite(p.y))
        canvas_.disc(p, 2.2, theme_.category[0]);
  canvas_.pop_clip();
  canvas_.text({plot.x + plot.w / 2, plot.bottom() + 27}, "training step, log", small_font, theme_.ink3,
               Align::center);
  y_ = plot.bottom() + 36;
}

// The same arrays along the series: the view's own data, else what was run or stored beside it.
std::shared_ptr<const Dataset> series_of(Session& session, const ViewContent& content) {
  if (content.data->has_axis("step")) return content.data;
  if (const Run* run = session.run_of(content.analysis); run && run->series) return run->series;
  const StoredRun* newest = session.newest_stored(content.analysis);
  return newest ? session.stored(content.analysis, newest->series_key) : nullptr;
}

}  // namespace

InspectorContent inspector_content(Session& session, const ViewContent* active, const std::string& tip) {
  InspectorContent content;
  if (!session.opened()) return content;
  content.pin = session.choice().pin;
  if (active && active->view && active->data && active->analysis != "logit-lens" && !active->key.empty()) {
    const auto read = [&](const Dataset* series) {
      return mark_facts(*active, series, session.choice().pin);
    };
    content.mark = read(nullptr);
    if (content.mark)
      content.mark = read(series_of(session, *active).get());
    else
      content.mark = facts_of_tip(*active, tip);
  }
  const Stop& stop = *session.stop();
  content.current_step = stop.step;
  content.facts = cell_facts(session);
  content.over = over_training(session);
  if (content.facts) return content;
  content.heading = "Checkpoint " + show_count(stop.step);
  if (!stop.label.empty()) content.checkpoint.push_back({.name = "named", .value = stop.label, .mono = true});
  if (stop.tokens >= 0)
    content.checkpoint.push_back({.name = "tokens seen", .value = show_count(stop.tokens)});
  content.checkpoint.push_back(
      {.name = "weights moved since the one before",
       .value = std::isfinite(stop.change) && stop.change >= 0 ? show_number(stop.change) : "–"});
  content.checkpoint.push_back({.name = "entries that are not finite",
                                .value = show_count(stop.nonfinite),
                                .tone = stop.nonfinite > 0 ? Fact::Tone::bad : Fact::Tone::plain});
  if (const LossPoint* loss = session.opened()->loss_at(stop.step))
    content.checkpoint.push_back({.name = "training loss", .value = show_number(loss->nats) + " nats"});
  content.hint = session.shown().data
                     ? "Click a cell of the lens to see what that layer would say there."
                     : "Run a prompt, then click a cell to see its numbers and their course.";
  return content;
}

double draw_inspector(const InspectorContent& content, const Theme& theme, Canvas& canvas) {
  Page page(theme, canvas);
  if (content.mark) {
    page.heading(content.mark->heading, content.mark->under);
    page.section("Numbers", content.pin ? "(A: " + show_step(*content.pin) + ")" : "");
    for (const Fact& fact : content.mark->numbers) page.fact(fact);
    if (content.mark->course) {
      page.section("Over training", "");
      page.note(content.mark->course->title);
      page.course(*content.mark->course, content.current_step, content.pin);
    }
    page.section("Where this number comes from", "");
    for (const Fact& fact : content.mark->origin) page.fact(fact);
    return page.bottom();
  }
  if (!content.facts) {
    if (content.heading.empty()) return 0;
    page.heading(content.heading, "");
    page.section("This checkpoint", "");
    for (const Fact& fact : content.checkpoint) page.fact(fact);
    page.section("One cell", "");
    page.note(content.hint);
    return page.bottom();
  }
  const CellFacts& facts = *content.facts;
  page.heading(facts.heading, "after " + facts.after +
                                  (facts.next.empty() ? " · the last token" : " · true next " + facts.next));
  page.section("Top tokens", "p, " + show_step(content.current_step) +
                                 (facts.pin_step ? "  (A: " + show_step(*facts.pin_step) + ")" : ""));
  for (const TopToken& token : facts.top) page.top_token(token, facts.pin_step.has_value());
  page.section("Numbers", "");
  for (const Fact& fact : facts.numbers) page.fact(fact);
  if (content.over && !facts.next.empty()) {
    page.section("Over training, this cell", "p(" + facts.next + ") by layer");
    page.plot(*content.over, facts.layer, content.current_step, facts.pin_step);
  }
  page.section("Where this number comes from", "");
  for (const Fact& fact : facts.origin) page.fact(fact);
  return page.bottom();
}

}  // namespace varve
