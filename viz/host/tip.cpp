// The tip beside the pointer.
#include <algorithm>

#include "viz/host/pane.h"

namespace varve {

namespace {
constexpr Font heading{.points = 7.5, .face = Face::sans_bold};
constexpr Font plain{.points = 7.5, .face = Face::sans};
constexpr Font mono{.points = 7.5, .face = Face::mono};
constexpr size_t most_rows = 8;
constexpr double row_height = 16, padding = 8, gap = 14, bar_width = 60, from_pointer = 12;
}  // namespace

void draw_tip(Canvas& canvas, const Hit& hit, Point pointer, const Theme& theme) {
  if (hit.tip.empty()) return;
  const size_t rows = std::min(hit.tip.size(), most_rows);
  double names = 0, values = 0;
  bool bars = false;
  for (size_t i = 0; i < rows; ++i) {
    const TipRow& row = hit.tip[i];
    names = std::max(names, canvas.text_width(row.name, i == 0 ? heading : row.bar >= 0 ? mono : plain));
    values = std::max(values, canvas.text_width(row.value, i == 0 ? heading : plain));
    bars = bars || row.bar >= 0;
  }
  const double bar = bars ? bar_width + gap / 2 : 0;
  const double width = 2 * padding + names + (values > 0 ? gap + values : 0) + bar;
  const double height = 2 * padding + static_cast<double>(rows) * row_height - 4;
  const Box area = canvas.area();
  Box card{pointer.x + from_pointer, pointer.y + from_pointer, width, height};
  if (card.right() > area.right() - 4) card.x = pointer.x - from_pointer - width;
  if (card.bottom() > area.bottom() - 4) card.y = pointer.y - from_pointer - height;
  card.x = std::clamp(card.x, area.x + 4, std::max(area.x + 4, area.right() - width - 4));
  card.y = std::clamp(card.y, area.y + 4, std::max(area.y + 4, area.bottom() - height - 4));

  canvas.fill(card, theme.tip, 3);
  double y = card.y + padding + row_height / 2 - 2;
  for (size_t i = 0; i < rows; ++i, y += row_height) {
    const TipRow& row = hit.tip[i];
    const bool first = i == 0;
    canvas.text({card.x + padding, y}, row.name,
                first          ? heading
                : row.bar >= 0 ? mono
                               : plain,
                first ? theme.tip_text : theme.tip_second);
    if (row.bar >= 0) {
      const double left = card.x + padding + names + gap / 2;
      canvas.fill({left, y - 4, std::max(1.0, bar_width * std::min(1.0, row.bar)), 8}, theme.tip_second);
    }
    canvas.text({card.right() - padding, y}, row.value, first ? heading : plain, theme.tip_text,
                Align::right);
  }
}

}  // namespace varve
