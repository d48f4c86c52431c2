// Numbers as the person at the screen reads them.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "analysis/core/text.h"

namespace varve {
namespace {

constexpr const char* minus = "\u2212";

// The power of ten after rounding to that many digits, so that 9.999 counts as 10.0.
int rounded_exponent(double magnitude, int digits) {
  const std::string text = fmt::format("{:.{}e}", magnitude, digits - 1);
  int exponent = 0;
  const char* begin = text.data() + text.find('e') + 1;
  if (*begin == '+') ++begin;
  std::from_chars(begin, text.data() + text.size(), exponent);
  return exponent;
}

std::string grouped(std::string digits) {
  for (int64_t place = static_cast<int64_t>(digits.size()) - 3; place > 0; place -= 3)
    digits.insert(static_cast<size_t>(place), ",");
  return digits;
}

}  // namespace

std::string show_bytes(int64_t bytes) {
  if (bytes > -1000 && bytes < 1000) return fmt::format("{}{} B", bytes < 0 ? minus : "", std::abs(bytes));
  static constexpr const char* units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = std::abs(static_cast<double>(bytes)) / 1000;
  size_t unit = 0;
  // 999.95 would print as 1000.0: that is the next unit.
  for (; value >= 999.95 && unit + 1 < std::size(units); ++unit) value /= 1000;
  return fmt::format("{}{:.1f} {}", bytes < 0 ? minus : "", value, units[unit]);
}

std::string show_seconds(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 0) return minus + show_seconds(-seconds);
  if (seconds < 0.0995) return fmt::format("{:.0f} ms", seconds * 1000);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  if (seconds > 1e15) return "unknown";
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  const int64_t minutes = (whole + 30) / 60;
  if (minutes < 24 * 60) return fmt::format("{} h {} min", minutes / 60, minutes % 60);
  const int64_t hours = (minutes + 30) / 60;
  return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string show_count(int64_t count) {
  const std::string text = fmt::format("{}", count);
  return count < 0 ? minus + grouped(text.substr(1)) : grouped(text);
}

std::string show_step(int64_t step) {
  // Shortened only where nothing is lost: a step names a checkpoint.
  const std::string sign = step < 0 ? minus : "";
  const auto magnitude = step < 0 ? 0 - static_cast<uint64_t>(step) : static_cast<uint64_t>(step);
  for (const auto& [unit, letter] : {std::pair{uint64_t{1000000}, 'M'}, std::pair{uint64_t{1000}, 'k'}}) {
    if (magnitude < unit || magnitude % (unit / 10) != 0) continue;
    const uint64_t tenths = magnitude / (unit / 10);
    if (tenths % 10 == 0) return fmt::format("{}{}{}", sign, tenths / 10, letter);
    return fmt::format("{}{}.{}{}", sign, tenths / 10, tenths % 10, letter);
  }
  return fmt::format("{}{}", sign, magnitude);
}

std::string show_number(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  const std::string sign = value < 0 ? minus : "";
  if (std::isinf(value)) return sign + "\u221e";
  digits = std::clamp(digits, 1, 17);
  const double magnitude = std::abs(value);
  if (magnitude == 0) return fmt::format("{:.{}f}", 0.0, digits - 1);

  const int exponent = rounded_exponent(magnitude, digits);
  if (exponent >= -3 && exponent < std::max(6, digits))
    return fmt::format("{}{:.{}f}", sign, magnitude, std::max(0, digits - 1 - exponent));
  const std::string text = fmt::format("{:.{}e}", magnitude, digits - 1);
  return fmt::format("{}{}e{}{}", sign, text.substr(0, text.find('e')), exponent < 0 ? minus : "",
                     std::abs(exponent));
}

}  // namespace varve
