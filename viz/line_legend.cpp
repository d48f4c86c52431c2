// Breaks the names of lines into rows and draws each after a stroke of its line.
#include "viz/line_legend.h"

#include <algorithm>

namespace varve {
namespace {

constexpr double stroke = 14, gap = 5, apart = 14, row_height = 13;

}  // namespace

std::vector<LegendEntry> legend_of(const LinePlot& plot, const std::vector<LineStyle>& styles, double left,
                                   double right, double top, const Canvas& canvas) {
  std::vector<LegendEntry> legend;
  const double room = right - left - stroke - gap;
  if (room < 24 || plot.series.size() < 2) return legend;
  double x = left, y = top;
  for (size_t i = 0; i < plot.series.size(); ++i) {
    if (plot.series[i].label.empty() || !styles[i].is_strong) continue;
    const double name = std::min(canvas.text_width(plot.series[i].label, line_label_bold), room);
    if (x > left && x + stroke + gap + name > right) x = left, y += row_height;
    legend.push_back({i, {x, y}, name});
    x += stroke + gap + name + apart;
  }
  return legend;
}

double legend_height(const std::vector<LegendEntry>& legend) {
  return legend.empty() ? 0 : legend.back().at.y - legend.front().at.y + row_height;
}

void draw_legend(const std::vector<LegendEntry>& legend, const LinePlot& plot,
                 const std::vector<LineStyle>& styles, Canvas& canvas) {
  for (const LegendEntry& entry : legend) {
    const LineStyle& style = styles[entry.line];
    canvas.line(entry.at, {entry.at.x + stroke, entry.at.y}, style.line, 2);
    canvas.text({entry.at.x + stroke + gap, entry.at.y},
                elide(canvas, plot.series[entry.line].label, line_label_bold, entry.name_width + 1),
                line_label_bold, style.text);
  }
}

}  // namespace varve
