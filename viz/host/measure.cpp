// Differences of two marks in words.
#include "viz/host/measure.h"

#include <fmt/format.h>

#include <cmath>

#include "viz/pick.h"

namespace varve {

namespace {

std::string with_sign(double difference) { return (difference > 0 ? "+" : "") + shown(difference); }

std::string heading_of(const Hit& hit) { return hit.tip.empty() ? "here" : hit.tip.front().name; }

}  // namespace

std::vector<TipRow> measured(const Hit& from, const Hit& to) {
  if (!from.number || !to.number) return {};
  const double before = from.number->value, after = to.number->value;
  std::vector<TipRow> rows;
  rows.push_back({heading_of(to), ""});
  rows.push_back({"measured from", heading_of(from)});
  constexpr size_t longest = 28;  // the card must not cover what it measures; the view says it whole
  rows.push_back(
      {to.number->name.size() > longest ? "value" : to.number->name, shown(before) + " → " + shown(after)});
  const double change = after - before;
  if (!std::isfinite(change)) {
    rows.push_back({"difference", "none: one of them is no number"});
    return rows;
  }
  rows.push_back({"difference", with_sign(change)});
  if (before != 0 && (before > 0) == (after > 0) && after != 0)
    rows.push_back({"ratio", "× " + shown(after / before)});
  if (from.along && to.along && from.along->name == to.along->name) {
    const double far = to.along->value - from.along->value;
    rows.push_back({to.along->name, with_sign(far)});
    if (far != 0 && std::isfinite(far))
      rows.push_back({fmt::format("difference per {}", to.along->name), with_sign(change / far)});
  }
  return rows;
}

}  // namespace varve
