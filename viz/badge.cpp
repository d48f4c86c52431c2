// Puts checks into words and draws them as a badge: shape and word carry it, colour only helps.
#include "viz/badge.h"

#include <algorithm>

#include "analysis/core/text.h"

namespace varve {
namespace {

constexpr Font title_font{9.5, Face::sans_bold}, badge_font{7.5, Face::sans_bold};

void draw_mark(Canvas& canvas, Point at, Tone tone, Color color) {
  if (tone == Tone::ok) {
    canvas.line({at.x, at.y}, {at.x + 3, at.y + 3}, color, 1.5);
    canvas.line({at.x + 3, at.y + 3}, {at.x + 8, at.y - 4}, color, 1.5);
  } else if (tone == Tone::fail) {
    canvas.line({at.x, at.y - 3.5}, {at.x + 7, at.y + 3.5}, color, 1.5);
    canvas.line({at.x, at.y + 3.5}, {at.x + 7, at.y - 3.5}, color, 1.5);
  } else {
    const Point corners[] = {{at.x + 4, at.y - 4}, {at.x + 8.5, at.y + 4}, {at.x - 0.5, at.y + 4}};
    for (size_t i = 0; i < 3; ++i) canvas.line(corners[i], corners[(i + 1) % 3], color, 1.2);
  }
}

}  // namespace

Badge badge_of(const Dataset& data, const std::string& caution) {
  Badge badge;
  const Check* broken = nullptr;
  for (const Check& check : data.checks) {
    if (!check.passed && !broken) broken = &check;
    std::string fact =
        fmt::format("{} {}: worst {}, limit {}, n = {}", check.passed ? "✓" : "✕", check.name,
                    show_number(check.residual), show_number(check.limit), show_count(check.n));
    if (!check.detail.empty()) fact += ", " + check.detail;
    badge.facts.push_back(std::move(fact));
  }
  const size_t count = data.checks.size();
  if (broken) {
    badge.tone = Tone::fail;
    badge.words = broken->name;
    badge.line = "failed check: " + broken->name;
  } else if (!caution.empty()) {
    badge.tone = Tone::warn;
    badge.words = badge.line = caution;
    badge.facts.insert(badge.facts.begin(), caution);
  } else if (count > 0) {
    badge.tone = Tone::ok;
    badge.words = fmt::format("{} check{}", count, count == 1 ? "" : "s");
    badge.line = badge.words + " passed";
  } else {
    badge.words = "no checks";
  }
  return badge;
}

double draw_badge(Canvas& canvas, const Theme& theme, Box line, const std::string& title,
                  const Badge& badge) {
  const double full = canvas.text_width(badge.words, badge_font) + 30;
  const double least_title = std::min(canvas.text_width(title, title_font), line.w * 0.5);
  const double width = std::min(full, line.w - least_title - 10);
  if (width < 44) return line.w;
  const double room = line.w - width - 10;
  const double x = line.x + std::min(canvas.text_width(title, title_font), room) + 10;
  const Color ink = badge.tone == Tone::ok ? theme.ok : badge.tone == Tone::fail ? theme.fail : theme.warn;
  const Color soft = badge.tone == Tone::ok     ? theme.ok_soft
                     : badge.tone == Tone::fail ? theme.fail_soft
                                                : theme.warn_soft;
  const Box pill{x, line.y - 1, width, 16};
  canvas.fill(pill, soft, 3);
  draw_mark(canvas, {pill.x + 7, pill.y + 8}, badge.tone, ink);
  canvas.text({pill.x + 21, pill.y + 8}, elide(canvas, badge.words, badge_font, width - 27), badge_font, ink);
  return room;
}

}  // namespace varve
