// Scales between values and pixels, and the choice of ticks.
#include "viz/draw/axes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "analysis/core/text.h"
#include "viz/draw/glyphs.h"

namespace varve {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double slot_pixels = 26;
constexpr double zero_in_slot = 0.3;

// Largest of 1, 2, 5 times a power of ten that is not above x.
double round_step(double x) {
  const double power = std::pow(10, std::floor(std::log10(x)));
  const double lead = x / power;
  return (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
}
double step_above(double x) {
  const double power = std::pow(10, std::floor(std::log10(x)));
  const double lead = x / power;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * power;
}
double next_step(double step) {
  const double power = std::pow(10, std::floor(std::log10(step) + 1e-9));
  const double lead = step / power;
  return lead < 1.5 ? 2 * power : lead < 3 ? 5 * power : 10 * power;
}

// A label needs its own width and a gap; the chosen ones keep both.
class Placed {
 public:
  Placed(double first, double last, double gap)
      : first_(std::min(first, last)), last_(std::max(first, last)), gap_(gap) {}
  bool fits(double at, double width) const {
    if (at < first_ - 0.5 || at > last_ + 0.5) return false;
    for (const auto& [from, to] : taken_)
      if (at - width / 2 < to + gap_ && at + width / 2 > from - gap_) return false;
    return true;
  }
  bool take(double at, double width) {
    if (!fits(at, width)) return false;
    taken_.emplace_back(at - width / 2, at + width / 2);
    return true;
  }

 private:
  double first_, last_, gap_;
  std::vector<std::pair<double, double>> taken_;
};

std::vector<Tick> linear_ticks(const Scale& scale, double first, double last, const Measure& measure,
                               bool integers, double gap) {
  const double a = scale.value(first), b = scale.value(last);
  const double low = std::min(a, b), high = std::max(a, b);
  if (!(high > low) || !std::isfinite(high - low)) return {};
  double step = step_above((high - low) / 6.001);
  if (integers) step = std::max(1.0, step);
  for (int tries = 0; tries < 40; ++tries, step = next_step(step)) {
    std::vector<Tick> ticks;
    bool collides = false;
    double before = nan, before_half = 0;
    const double begin = std::ceil(low / step - 1e-6), end = std::floor(high / step + 1e-6);
    if (end - begin > 200) continue;
    for (double i = begin; i <= end; ++i) {
      const double value = i * step;
      Tick tick{value, tick_label(value, step)};
      const double at = scale.pixel(value), half = measure(tick.label) / 2;
      if (!std::isnan(before) && std::abs(at - before) < before_half + half + gap) collides = true;
      before = at;
      before_half = half;
      ticks.push_back(std::move(tick));
    }
    if (!collides) return ticks;
  }
  return {};
}

std::string decade_label(double value, bool as_step) {
  if (as_step || (value >= 1 && value < 1e6)) return show_step(static_cast<int64_t>(std::llround(value)));
  return tick_label(value, value);
}

std::vector<Tick> log_ticks(const Scale& scale, double first, double last, const Measure& measure,
                            double gap) {
  const bool as_step = scale.spacing == Spacing::log_step;
  std::vector<Tick> ticks;
  Placed placed(first, last, gap);
  const auto offer = [&](double value, const std::string& label) {
    const double at = scale.pixel(value);
    if (std::isnan(at)) return;
    if (placed.take(at, measure(label))) ticks.push_back({value, label});
  };
  if (scale.slot != 0) offer(0, "0");
  // The last step is always said; a decade close to it gives way.
  if (as_step) offer(scale.high, decade_label(scale.high, true));
  const int from = static_cast<int>(std::floor(std::log10(scale.low))) - 1;
  const int to = static_cast<int>(std::ceil(std::log10(scale.high))) + 1;
  const auto is_inside = [&scale](double v) {
    return v >= scale.low * (1 - 1e-9) && v <= scale.high * (1 + 1e-9);
  };
  const int stride = std::max(1, (to - from) / 400);
  for (int e = from; e <= to; e += stride)
    if (is_inside(std::pow(10, e))) offer(std::pow(10, e), decade_label(std::pow(10, e), as_step));
  for (const double lead : {2.0, 5.0})
    for (int e = from; e <= to; e += stride) {
      const double value = lead * std::pow(10, e);
      if (!is_inside(value) || (as_step && value < 1)) continue;
      const size_t before = ticks.size();
      // Only where there is plenty of room: decades alone read better.
      Placed roomy = placed;
      const double at = scale.pixel(value);
      if (std::abs(scale.pixel(10 * value) - at) > 150) offer(value, decade_label(value, as_step));
      const bool in_view = at >= std::min(first, last) - 0.5 && at <= std::max(first, last) + 0.5;
      if (ticks.size() == before && in_view) ticks.push_back({value, ""});
    }
  std::sort(ticks.begin(), ticks.end(), [](const Tick& a, const Tick& b) { return a.value < b.value; });
  return ticks;
}

}  // namespace

double Scale::pixel(double v) const {
  if (spacing == Spacing::linear) return from + (v - low) / (high - low) * (to - from);
  if (v == 0 && slot != 0) return from + slot * zero_in_slot;
  if (!(v > 0)) return nan;
  const double begin = from + slot;
  return begin + std::log(v / low) / std::log(high / low) * (to - begin);
}

double Scale::value(double at) const {
  if (spacing == Spacing::linear) return low + (at - from) / (to - from) * (high - low);
  const double begin = from + slot;
  const double along = (at - begin) / (to - begin);
  if (slot != 0 && (at - from) / slot < 0.75) return 0;
  return low * std::exp(along * std::log(high / low));
}

Scale Scale::moved(double origin, double zoom, double pan) const {
  Scale out = *this;
  out.from = origin + (from - origin) * zoom + pan;
  out.to = origin + (to - origin) * zoom + pan;
  out.slot = slot * zoom;
  return out;
}

Scale linear_scale(double low, double high, double from, double to) {
  if (!std::isfinite(low) || !std::isfinite(high)) low = 0, high = 1;
  if (low > high) std::swap(low, high);
  // Below this the doubles themselves are the ticks.
  const double least = std::max(std::abs(low), std::abs(high)) * 1e-12;
  if (high - low <= least || high == low) {
    const double widen = low == 0 ? 1 : std::abs(low) * 0.1;
    low -= widen / 2;
    high += widen / 2;
  }
  return {Spacing::linear, low, high, from, to, 0};
}

Scale log_scale(double low, double high, double from, double to) {
  if (!(high > 0) || !std::isfinite(high)) low = 1, high = 10;
  if (!(low > 0)) low = high / 1e3;
  if (high / low < 1.0001) low /= 2, high *= 2;
  return {Spacing::log, low, high, from, to, 0};
}

Scale step_scale(std::span<const double> steps, double from, double to) {
  double low = nan, high = nan;
  bool has_zero = false;
  for (const double step : steps) {
    if (step == 0) has_zero = true;
    if (!(step > 0) || !std::isfinite(step)) continue;
    low = std::isnan(low) ? step : std::min(low, step);
    high = std::isnan(high) ? step : std::max(high, step);
  }
  if (std::isnan(low)) low = 1, high = 10;
  if (high / low < 1.0001) high = low * 10;
  const double room = std::abs(to - from);
  const double slot = has_zero ? std::min(slot_pixels, room / 4) : 0;
  return {Spacing::log_step, low, high, from, to, to >= from ? slot : -slot};
}

std::vector<Tick> ticks_of(const Scale& scale, double first, double last, const Measure& measure,
                           bool integers, double gap) {
  if (std::abs(last - first) < 1 || !std::isfinite(first) || !std::isfinite(last)) return {};
  if (scale.spacing == Spacing::linear) return linear_ticks(scale, first, last, measure, integers, gap);
  std::vector<Tick> ticks = log_ticks(scale, first, last, measure, gap);
  const auto named =
      std::count_if(ticks.begin(), ticks.end(), [](const Tick& t) { return !t.label.empty(); });
  // Within a decade there may be no 1, 2 or 5: round numbers then, where the logarithm puts them.
  if (scale.spacing == Spacing::log && named < 2)
    return linear_ticks(scale, first, last, measure, integers, gap);
  return ticks;
}

std::vector<Tick> item_ticks(std::span<const std::string> names, double pixels_per_item,
                             const Measure& measure, double gap) {
  const int64_t count = static_cast<int64_t>(names.size());
  if (count == 0 || !(pixels_per_item > 0)) return {};
  double widest = 0;
  for (int64_t i = 0; i < count; i += std::max<int64_t>(1, count / 200))
    widest = std::max(widest, measure(names[static_cast<size_t>(i)]));
  widest = std::max(widest, measure(names.back()));
  double every = 1;
  while (every * pixels_per_item < widest + gap && every < 2e9)
    every = every < 1.5 ? 2 : every < 2.5 ? 3 : every < 4 ? 5 : next_step(every);
  std::vector<Tick> ticks;
  for (int64_t i = 0; i < count; i += static_cast<int64_t>(every))
    ticks.push_back({static_cast<double>(i), names[static_cast<size_t>(i)]});
  return ticks;
}

std::pair<double, double> rounded_out(double low, double high) {
  const Scale safe = linear_scale(low, high, 0, 1);
  const double step = round_step((safe.high - safe.low) / 4);
  return {std::floor(safe.low / step + 1e-9) * step, std::ceil(safe.high / step - 1e-9) * step};
}

std::string tick_label(double value, double spacing) {
  const double size = std::abs(value);
  if (size < std::abs(spacing) * 1e-6) return "0";
  if (size >= 1e6 || (size < 1e-3 && size > 0)) {
    const std::string text = fmt::format("{:.3e}", value);
    const size_t e = text.find('e');
    std::string lead = text.substr(0, e);
    while (lead.find('.') != std::string::npos && (lead.back() == '0' || lead.back() == '.')) lead.pop_back();
    return minus_signed(fmt::format("{}e{}", lead, std::stoi(text.substr(e + 1))));
  }
  if (std::abs(value - std::round(value)) < std::abs(spacing) * 1e-6)
    return minus_signed(fmt::format("{:.0f}", value));
  const int digits = std::clamp(static_cast<int>(-std::floor(std::log10(std::abs(spacing)) + 1e-9)), 0, 9);
  return minus_signed(fmt::format("{:.{}f}", value, digits));
}

}  // namespace varve
